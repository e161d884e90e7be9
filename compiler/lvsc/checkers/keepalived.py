"""`keepalived -t`, by its messages: its exit status is 0 for some faults (acassen/keepalived issue 955)."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from shlex import quote

from lvsc.checkers import namespace
from lvsc.checkers.checker import Checker, Complaint, Unjudged, lines_of
from lvsc.compile import EmittedFile

#: What keepalived says of a file that is right, and why that is so.
_HARMLESS = (
    # RFC 5798 5.2.9; keepalived takes any address.
    r"\(\S+\) the first IPv6 VIP address should be link local",
    # The placeholder of a secret is longer than the secret.
    r"Truncating auth_pass to 8 characters",
    # The command is on the director, not on this machine.
    r"Disabling track script \S+ since not found/accessible",
    # In an unprivileged user's namespace root's files are nobody's, so that no command is safe.
    r"Disabling track script \S+ due to insecure",
    r"^Configuration file .* is valid$",
)
_LINE = re.compile(r"^\((?:\S*keepalived\.conf): Line (\d+)\) (.*)$")
#: `-t` of 2.2.7 ends itself by SIGTERM when it looks at a script as another user than root (lib/notify.c,
#: check_script_secure); and the director's user need not be on this machine.
_SCRIPT_USER = re.compile(r"^( *script_user )\S+$", re.MULTILINE)
_INTERFACE = re.compile(r"^ *(?:interface|lvs_sync_daemon) (\S+)|^.* dev (\S+)", re.MULTILINE)
_TRACKED = re.compile(r"track_interface \{\n(.*?)\}", re.DOTALL)
_SIGNALS = 128


class KeepalivedTest(Checker):
    """`keepalived -t` among interfaces of the names that the file has."""

    name = "keepalived -t"

    def judges(self, file: EmittedFile) -> bool:
        """Whether it is a keepalived.conf."""
        return Path(file.artifact.path).name == "keepalived.conf"

    def why_not(self) -> str | None:
        """No keepalived, no ip, or no namespace."""
        for program, package in (("keepalived", "keepalived"), ("ip", "iproute2")):
            if namespace.find(program) is None:
                return f"no `{program}` is installed ({package})"
        return namespace.why_not()

    def complaints(self, file: EmittedFile, directory: Path) -> Iterable[Complaint] | Unjudged:
        """Every message that is not known to be harmless."""
        text = _SCRIPT_USER.sub(r"\1root", file.artifact.text)
        path = directory / "keepalived.conf"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        links = [
            f"ip link add {quote(name)} type veth peer name lvscpeer{number}; ip link set {quote(name)} up"
            for number, name in enumerate(_interfaces(text))
        ]
        script = "\n".join(("set -e", *links, "echo ready >&2", f"exec keepalived -t -f {quote(str(path))}"))
        done = namespace.run(namespace.within(["sh", "-c", script]), directory)
        before, ready, said = done.said.partition("ready\n")
        if not ready:
            return Unjudged(f"no interfaces for keepalived can be made here: {before.strip()}")
        found = list(_complaints(said))
        if not found and (done.code < 0 or done.code > _SIGNALS):
            return Unjudged("a signal ended keepalived")
        return found


def _complaints(said: str) -> Iterator[Complaint]:
    for line in lines_of(said):
        placed = _LINE.match(line)
        message = placed[2] if placed else line
        if not any(re.search(harmless, message) for harmless in _HARMLESS):
            yield Complaint(int(placed[1]) if placed else None, message)


def _interfaces(text: str) -> list[str]:
    """The interfaces that a file names, without which keepalived complains."""
    names = {name for found in _INTERFACE.finditer(text) for name in found.groups() if name}
    for block in _TRACKED.findall(text):
        names.update(words[0] for line in block.splitlines() if (words := line.split()))
    return sorted(names - {"lo"})
