"""FTP clients of several kinds: who served them, and where their data came from."""

import ftplib
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

#: How many transfers are under way at once.
AT_ONCE = 16


def fetch_all(wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Fetch the file `who` as often as wanted, many at a time; what came of it, in the same order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda each: fetch(**each), wanted))


def fetch(server: str, mode: str, port: int, source: str, limit: float, *, tls: bool) -> dict[str, Any]:
    """Fetch the file `who` once: in a mode of `_Client`, from a source address (empty: any), over TLS (RFC 4217) or not."""
    client = _Client(server, port, mode, source, limit)
    stage = "control"
    try:
        client.connect(server, port)
        client.login(secure=tls)
        if tls:
            client.prot_p()
        stage = "data"
        said: list[bytes] = []
        client.retrbinary("RETR who", said.append)
        client.quit()
    except (OSError, EOFError, ftplib.Error) as error:
        why = "no answer" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        return {"mode": mode, "error": f"{stage} connection: {why}"}
    finally:
        client.close()
    return {"mode": mode, "server": b"".join(said).decode().strip(), "data_from": client.data_from}


class _Client(ftplib.FTP_TLS):
    """A client of one mode.

    The server connects: `active` takes data from whoever comes (PORT, over IPv6 EPRT), `checking` only from the control
    connection's server and the port below its (RFC 959, 3.2), `eprt` says EPRT over IPv4 too (RFC 2428) and checks.
    The client connects: `passive` to the control connection's server (PASV, over IPv6 EPSV), `strict` to the address in
    the 227 reply (RFC 959), `epsv` to the former by EPSV over IPv4 too (RFC 2428).
    """

    def __init__(self, server: str, port: int, mode: str, source: str, limit: float) -> None:
        super().__init__(timeout=limit, source_address=(source, 0) if source else None)
        self.data_from = ""
        self._server = (server, port)
        self._mode = mode
        self.set_pasv(mode in ("passive", "strict", "epsv"))
        # Since Python 3.9.3, and typeshed does not know it.
        setattr(self, "trust_server_pasv_ipv4_address", mode == "strict")  # noqa: B010

    def sendport(self, host: str, port: int) -> str:
        return self.sendeprt(host, port) if self._mode == "eprt" else super().sendport(host, port)

    def makepasv(self) -> tuple[str, int]:
        if self._mode == "epsv":
            return ftplib.parse229(self.sendcmd("EPSV"), self._server)
        return super().makepasv()

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        data, size = super().ntransfercmd(cmd, rest)
        host, port = data.getpeername()[:2]
        if self._mode in ("checking", "eprt") and (host, port + 1) != self._server:
            data.close()
            raise OSError(f"refused data from {host}:{port}")
        self.data_from = f"{host}:{port}"
        return data, size
