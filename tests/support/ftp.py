"""FTP services in the tests' specs."""

from support.specs import Layer

RANGE = "10000-20000"


def ftp(name: str = "files", **keys: object) -> Layer:
    """An FTP service in the place of the plain one."""
    return {"services": {"web": None, name: {"kind": "ftp", "address": "www", "pool": "web", **keys}}}
