"""nft: a check, and a real load in a namespace of its own."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from lvsc.checkers import namespace
from lvsc.checkers.checker import Checker, Complaint, Unjudged, lines_of, written
from lvsc.compile import EmittedFile

_PLACED = re.compile(r"^\S*?:(\d+):\d+-\d+: (.*)$")


class Nft(Checker):
    """`nft -c` or `nft -f`."""

    name: ClassVar[str]
    _options: ClassVar[tuple[str, ...]]

    def judges(self, file: EmittedFile) -> bool:
        """Whether it is a ruleset."""
        return file.artifact.path.endswith(".nft")

    def why_not(self) -> str | None:
        """No nft, or no namespace."""
        if namespace.find("nft") is None:
            return "no `nft` is installed (nftables)"
        return namespace.why_not()

    def complaints(self, file: EmittedFile, directory: Path) -> Iterable[Complaint] | Unjudged:
        """The first error alone: after one, nft stumbles over what is right."""
        path = written(file, directory)
        program = namespace.find("nft") or "nft"
        done = namespace.run(namespace.within([program, *self._options, str(path)]), directory)
        said = list(lines_of(done.said))
        if not said and done.code == 0:
            return ()
        if any("cache initialization failed" in line for line in said):
            return Unjudged(f"nft has no access to nftables here: {said[0]}")
        placed = next((found for line in said if (found := _PLACED.match(line))), None)
        if placed is None:
            return (Complaint(None, said[0] if said else f"nft ends with {done.code}"),)
        return (Complaint(int(placed[1]), placed[2].removeprefix("Error: ")),)


class NftCheck(Nft):
    """A check without a load."""

    name = "nft -c"
    _options = ("-c", "-f")


class NftLoad(Nft):
    """A real load, which the kernel judges too."""

    name = "nft -f"
    _options = ("-f",)
