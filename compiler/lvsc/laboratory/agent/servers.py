"""Servers that say which host they are, whatever is asked of them: lines, HTTP, TLS, SMTP, DNS."""

import contextlib
import selectors
import socket
import ssl
import subprocess
import threading
from pathlib import Path

_KINDS = {
    "tcp": (socket.SOCK_STREAM, socket.IPPROTO_TCP),
    "udp": (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
    "sctp": (socket.SOCK_STREAM, socket.IPPROTO_SCTP),
}
#: Linux's numbers (linux/in.h, linux/in6.h): an address may be served before the host has it.
_FREEBIND = {socket.AF_INET: (socket.IPPROTO_IP, 15), socket.AF_INET6: (socket.IPPROTO_IPV6, 78)}
_KEY = Path("/run/laboratory.pem")
_HANDSHAKE = 0x16
#: The length of a DNS message's header, in bytes (RFC 1035, 4.1.1).
_DNS_HEADER = 12
#: How long a silent connection is kept, in seconds.
_PATIENCE = 600


class Servers:
    """All that one host serves; a thread looks after the listeners, one each after the connections."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._listeners: dict[tuple[str, int, str], socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._waker, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._looking: threading.Thread | None = None

    def listen(
        self, protocol: str, port: int, addresses: list[str], greeting: str = "", *, tls: bool = False
    ) -> None:
        """Serve a port at some addresses. A listener that is there already stays.

        `greeting` is what each connection hears first, and each datagram that does not ask who is there.
        """
        if tls and self._context is None:
            self._context = _context()
        for address in addresses:
            key = (protocol, port, address)
            if key not in self._listeners:
                self._listeners[key] = listener = _listener(protocol, port, address)
                with self._lock:
                    self._selector.register(
                        listener, selectors.EVENT_READ, (protocol, greeting.encode("latin-1"))
                    )
        if self._looking is None:
            self._looking = threading.Thread(target=self._look, daemon=True)
            self._looking.start()
        self._waker.send(b".")

    def silence(self, protocol: str | None, port: int | None) -> None:
        """Stop listening, at a port of a protocol or everywhere; open connections stay."""
        for key, listener in list(self._listeners.items()):
            if protocol in (None, key[0]) and port in (None, key[1]):
                del self._listeners[key]
                with self._lock:
                    self._selector.unregister(listener)
                    listener.close()
        self._waker.send(b".")

    def _look(self) -> None:
        while True:
            for key, _ in self._selector.select():
                waiting = key.fileobj
                if not isinstance(waiting, socket.socket) or key.data is None:
                    self._woken.recv(100)
                    continue
                protocol, greeting = key.data
                with contextlib.suppress(OSError), self._lock:
                    if protocol == "udp":
                        self._datagram(waiting, greeting)
                    else:
                        connection, _ = waiting.accept()
                        worker = threading.Thread(
                            target=self._connection, args=(connection, greeting), daemon=True
                        )
                        worker.start()

    def _datagram(self, listener: socket.socket, greeting: bytes) -> None:
        asked, client = listener.recvfrom(2000)
        if asked.endswith(b"who\n") or b"SIP/2.0" in asked:
            listener.sendto(self._who(listener.getsockname(), client), client)
        elif greeting:
            listener.sendto(greeting, client)
        elif len(asked) >= _DNS_HEADER:
            # A question comes back as an answer without records.
            listener.sendto(asked[:2] + b"\x81\x80" + asked[4:], client)

    def _connection(self, connection: socket.socket, greeting: bytes) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(_PATIENCE)
            if greeting:
                connection.sendall(greeting)
            elif self._context is not None and connection.recv(1, socket.MSG_PEEK)[:1] == bytes([_HANDSHAKE]):
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as lines:
                who = self._who(connection.getsockname(), connection.getpeername())
                for line in lines:
                    if line.startswith((b"GET ", b"HEAD ")):
                        head = f"HTTP/1.0 200 OK\r\nContent-Length: {len(who)}\r\n\r\n".encode()
                        while lines.readline().strip():
                            pass
                        connection.sendall(head + who)
                        return
                    if line.upper().startswith(b"QUIT"):
                        connection.sendall(b"221 bye\r\n")
                        return
                    connection.sendall(b"250 ok\r\n" if line[:4].upper() in (b"HELO", b"EHLO") else who)

    def _who(self, here: tuple[str, int], client: tuple[str, int]) -> bytes:
        return f"{self._name} {_plain(here[0])} {here[1]} {_plain(client[0])}\n".encode()


def _listener(protocol: str, port: int, address: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, *_KINDS[protocol])
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(*_FREEBIND[family], 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, port))
        if protocol != "udp":
            listener.listen(256)
            listener.settimeout(0)  # who is gone again before being accepted must not stop all others
    except BaseException:
        listener.close()
        raise
    return listener


def _plain(address: str) -> str:
    return address.partition("%")[0]


def _context() -> ssl.SSLContext:
    """A certificate of the moment."""
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-subj", "/CN=laboratory", "-days", "2", "-keyout", _KEY, "-out", f"{_KEY}.crt"),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{_KEY}.crt", _KEY)
    return context
