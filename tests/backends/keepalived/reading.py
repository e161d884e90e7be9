"""Short ways to read keepalived.conf in tests."""

from collections.abc import Iterable

from lvsc.plugin import (
    HostPart,
    Reading,
    Source,
)
from lvsc_keepalived.backend import Keepalived
from support import examples
from support.ipvs import HOST

TARGETS = ("rhel7", "debian12", "arch")
KEEPALIVED = Keepalived()


def read(text: str, host: str = HOST) -> Reading:
    source = Source(host=host, file="keepalived.conf", text=text)
    assert KEEPALIVED.recognises(source)
    return KEEPALIVED.read(source)


def read_back(part: HostPart) -> Reading:
    """What is read from the file that is emitted for a part."""
    (artifact,) = KEEPALIVED.emit(part).artifacts
    return read(artifact.text, part.host)


def parts_of(example: str) -> Iterable[HostPart]:
    """The example's parts for this backend."""
    parts = examples.compiled(example).parts
    return (one for backend, found in parts.items() if backend.name == "keepalived" for one in found)
