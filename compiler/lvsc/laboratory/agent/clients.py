"""Clients: connections and datagrams from chosen addresses, and who answered them."""

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_KINDS = {
    "tcp": (socket.SOCK_STREAM, socket.IPPROTO_TCP),
    "udp": (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
    "sctp": (socket.SOCK_STREAM, socket.IPPROTO_SCTP),
}
WHO = b"who\n"
#: How many questions are open at once.
AT_ONCE = 32


def ask_all(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ask all questions, many at a time; the answers in the questions' order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, questions))


def ask(question: dict[str, Any]) -> dict[str, Any]:
    """Open a connection, ask who is there, and close it: the server's words, or what went wrong."""
    try:
        with connected(question) as client:
            return _answer(client, question.get("size", 0), question.get("call", ""))
    except OSError as error:
        return _failed(error)


def connected(question: dict[str, Any]) -> socket.socket:
    """A socket that is connected as the question says.

    Raises:
        OSError: There is no connection.
    """
    host, port = question["host"], question["port"]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    client = socket.socket(family, *_KINDS[question["protocol"]])
    try:
        client.settimeout(question["limit"])
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        client.bind((question["source"], question.get("source_port", 0)))
        client.connect((host, port))
        if question.get("greeted"):
            client.recv(1000)
        if question.get("tls"):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            return context.wrap_socket(client)
    except BaseException:
        client.close()
        raise
    return client


def _answer(client: socket.socket, size: int = 0, call: str = "") -> dict[str, Any]:
    request = f"OPTIONS sip:laboratory SIP/2.0\r\nCall-ID: {call}\r\n\r\n".encode() if call else WHO
    client.sendall(request.rjust(size, b"."))
    said = b""
    while not said.endswith(b"\n"):
        more = client.recv(1000)
        if not more:
            return {"error": "closed"}
        said += more
    name, address, port, seen = said.decode().split()
    return {"server": name, "address": address, "port": int(port), "client": seen}


def _failed(error: OSError) -> dict[str, Any]:
    if isinstance(error, TimeoutError):
        return {"error": "no answer"}
    if isinstance(error, ConnectionRefusedError):
        return {"error": "refused"}
    return {"error": error.strerror or str(error)}


class Held:
    """Connections that stay open between calls."""

    def __init__(self) -> None:
        self._sockets: dict[str, socket.socket] = {}

    def open(self, name: str, question: dict[str, Any]) -> dict[str, Any]:
        """Open a connection and ask on it."""
        try:
            self._sockets[name] = connected(question)
        except OSError as error:
            return _failed(error)
        return self.say(name, question["limit"])

    def say(self, name: str, limit: float) -> dict[str, Any]:
        """Ask again on an open connection; `limit` is in seconds."""
        self._sockets[name].settimeout(limit)
        try:
            return _answer(self._sockets[name])
        except OSError as error:
            return _failed(error)

    def close(self, name: str) -> None:
        """Close a connection."""
        self._sockets.pop(name).close()
