"""A directory of installed distributions, as pip leaves them: only their metadata says what plugins they bring."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Site:
    """A directory of installed distributions."""

    root: Path

    def install(self, distribution: str, *entry_points: tuple[str, str, str]) -> None:
        """Write the metadata of a distribution: each entry point's group, name and module."""
        # A hyphen would end the name, and the second distribution of a prefix would not be seen.
        info = self.root / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        sections = [f"[{group}]\n{name} = {module}\n" for group, name, module in entry_points]
        (info / "entry_points.txt").write_text("\n".join(sections))

    def module(self, name: str, text: str) -> None:
        """Write a module of a distribution."""
        (self.root / f"{name}.py").write_text(text)
