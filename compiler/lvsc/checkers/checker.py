"""What a checker is: one of the programs that read emitted files, asked what it makes of them."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from lvsc.compile import EmittedFile


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a program says against a file."""

    line: int | None
    """The line in the file, from 1; None where the program names none."""
    message: str


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Why a program could not be asked."""

    why: str


class Checker(ABC):
    """A program that judges files of one language."""

    name: ClassVar[str]
    """The program and how it is called, for people: `nft -f`."""

    @abstractmethod
    def judges(self, file: EmittedFile) -> bool:
        """Whether the file is in the program's language."""

    @abstractmethod
    def why_not(self) -> str | None:
        """Why the program cannot be asked on this machine, None where it can."""

    @abstractmethod
    def complaints(self, file: EmittedFile, directory: Path) -> Iterable[Complaint] | Unjudged:
        """What the program says against the file, nothing where it takes it. It may write in the directory, which is empty."""


def written(file: EmittedFile, directory: Path) -> Path:
    """The file in a directory, under its own name."""
    path = directory / Path(file.artifact.path).name
    path.write_text(file.artifact.text, encoding="utf-8")
    path.chmod(0o600)
    return path


def lines_of(said: str) -> Iterator[str]:
    """What a program said, without empty lines."""
    return (line.strip() for line in said.splitlines() if line.strip())
