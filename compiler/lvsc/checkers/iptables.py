"""iptables-restore of both variants: a real load in a namespace of its own.

`--test` is not enough: of the nft variant it passes over a jump to a chain that does not exist.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from lvsc.checkers import namespace
from lvsc.checkers.checker import Checker, Complaint, Unjudged, lines_of, written
from lvsc.compile import EmittedFile

_LINE = re.compile(r"\bline:? (\d+)")
_KERNEL = re.compile(
    r"can't initialize|[Cc]ould not fetch rule set generation|Failed to initialize nft|Permission denied"
)
_FAMILIES = {".v4": "iptables", ".v6": "ip6tables"}


class IptablesRestore(Checker):
    """One variant of iptables-restore."""

    name: ClassVar[str]
    _variant: ClassVar[str]

    def judges(self, file: EmittedFile) -> bool:
        """Whether it is a file of rules of one family."""
        return Path(file.artifact.path).suffix in _FAMILIES

    def why_not(self) -> str | None:
        """Not installed, or no namespace."""
        for family in _FAMILIES.values():
            program = f"{family}-{self._variant}-restore"
            if namespace.find(program) is None:
                return f"no `{program}` is installed (iptables)"
        return namespace.why_not()

    def complaints(self, file: EmittedFile, directory: Path) -> Iterable[Complaint] | Unjudged:
        """Whatever it says, for it warns of what it does not load (`-m` without a kernel module) and ends with 0."""
        path = written(file, directory)
        family = _FAMILIES[path.suffix]
        program = namespace.find(f"{family}-{self._variant}-restore") or family
        lock = {"XTABLES_LOCKFILE": str(directory / "lock")}
        done = namespace.run(namespace.within([program, "--noflush", str(path)]), directory, lock)
        said = list(lines_of(done.said))
        if not said and done.code == 0:
            return ()
        if any(map(_KERNEL.search, said)):
            return Unjudged(f"the kernel does not let {Path(program).name} load anything here: {said[0]}")
        line = next((int(found[1]) for text in said if (found := _LINE.search(text))), None)
        return (Complaint(line, said[0] if said else f"{Path(program).name} ends with {done.code}"),)


class LegacyRestore(IptablesRestore):
    """The variant that speaks with the kernel's own tables."""

    name = "iptables-legacy-restore"
    _variant = "legacy"


class NftRestore(IptablesRestore):
    """The variant that speaks with nftables."""

    name = "iptables-nft-restore"
    _variant = "nft"
