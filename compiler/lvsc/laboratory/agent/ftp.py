"""An FTP client of each kind: who served it, and where its data came from."""

import ftplib
import socket
from typing import Any


def fetch(host: str, mode: str, source: str, limit: float) -> dict[str, Any]:
    """Fetch the file `who` once.

    `active` has the server connect to the client (PORT, EPRT) and refuses data from any other address than the control
    connection's; `passive` connects to the control connection's host (PASV, EPSV over IPv6); `strict` to the address in
    the reply (RFC 959, 227); `epsv` asks for EPSV over IPv4 too (RFC 2428).
    """
    client = ftplib.FTP(timeout=limit, source_address=(source, 0) if source else None)
    stage = "control"
    try:
        client.connect(host)
        client.login()
        stage = "data"
        client.set_pasv(mode != "active")
        # Since Python 3.9.3, and typeshed does not know it.
        setattr(client, "trust_server_pasv_ipv4_address", mode == "strict")  # noqa: B010
        if mode == "epsv":
            client.af = socket.AF_INET6
        with client.transfercmd("RETR who") as data:
            peer = data.getpeername()
            who = data.recv(100).decode().strip()
        client.voidresp()
        client.quit()
    except (OSError, EOFError, ftplib.Error) as error:
        why = "no answer" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        return {"mode": mode, "error": f"{stage} connection: {why}"}
    finally:
        client.close()
    return {"mode": mode, "server": who, "data_from": f"{peer[0].removeprefix('::ffff:')}:{peer[1]}"}
