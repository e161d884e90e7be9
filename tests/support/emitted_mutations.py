"""Emitted files changed in one place: what a defect of an emitter, or a slip of a hand, would look like."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from lvsc.compile import Compiled, EmittedFile
from lvsc.plugins.artifact import Line

#: What says nothing to a program: comments, and the options that carry them.
_SILENT = re.compile(r'^\s*#.*|(?:-m comment --comment|comment) "[^"]*"')
_TOKEN = re.compile(
    r"\d+\.\d+\.\d+\.\d+|[0-9a-f]*:[0-9a-f:]*:[0-9a-f:]*|0x[0-9a-f]+|\d+|[A-Za-z][\w-]*", re.IGNORECASE
)
#: Words whose neighbour is as good a word: what a program takes, and does something else with.
_NEIGHBOURS = {
    "tcp": "udp",
    "udp": "tcp",
    "prerouting": "output",
    "PREROUTING": "OUTPUT",
    "wlc": "rr",
    "rr": "wlc",
    "NAT": "DR",
    "DR": "NAT",
    "TUN": "DR",
    "ip": "ip6",
    "MASTER": "BACKUP",
    "BACKUP": "MASTER",
    "HTTP_GET": "SSL_GET",
    "raw": "filter",
    "accept": "drop",
    "true": "false",
}


@dataclass(frozen=True, slots=True)
class Mutation:
    """A file with one change, in words too."""

    file: EmittedFile
    line: int
    """From 1; of a line that is left out, its number in the file as it was."""
    said: str

    def __str__(self) -> str:
        return f"{self.file.host}{self.file.artifact.path}:{self.line}: {self.said}"


def in_place_of(compiled: Compiled, file: EmittedFile) -> Compiled:
    """The compiled spec with another file in place of the one of that host and path, and nothing but its backend's part."""
    own = [each for each in compiled.files if (each.backend, each.host) == (file.backend, file.host)]
    files = tuple(file if each.artifact.path == file.artifact.path else each for each in own)
    parts = {
        backend: tuple(part for part in parts if part.host == file.host)
        for backend, parts in compiled.parts.items()
        if backend.name == file.backend
    }
    return replace(compiled, files=files, parts=parts)


def mutants(file: EmittedFile, seed: int, count: int) -> list[Mutation]:
    """Changes of one token, and lines left out, that a program would notice: a sample, the same one for one seed."""
    found = [*_tokens(file), *_left_out(file)]
    return random.Random(seed).sample(found, min(count, len(found)))  # noqa: S311 - no secret depends on it


def silent(file: EmittedFile) -> Iterator[Mutation]:
    """Changes that no packet notices: of each comment, and of the order of neighbours that no packet meets both."""
    yield from _comments(file)
    for number, (one, other) in enumerate(pairwise(file.artifact.lines)):
        if _ORDERLESS.match(one.text) and _kind(one.text) == _kind(other.text):
            lines = file.artifact.lines
            swapped = (*lines[:number], other, one, *lines[number + 2 :])
            artifact = replace(file.artifact, lines=swapped)
            said = f"`{one.text.strip()}` and `{other.text.strip()}` change places"
            yield Mutation(replace(file, artifact=artifact), number + 1, said)


#: A rule of a chain, an element of a set or map, a real server in the table of ipvsadm.
_ORDERLESS = re.compile(r"-A LVSC-|\t\t\t\S|-a ")


def _kind(line: str) -> str:
    """What a line is one of: a chain's rule, an element."""
    return " ".join(line.split(" ")[:2]) if line.startswith("-A LVSC-") else line[:3]


def _comments(file: EmittedFile) -> Iterator[Mutation]:
    for number, line in enumerate(file.artifact.lines):
        for found in _SILENT.finditer(line.text):
            words = list(re.finditer(r"\w+", found[0]))
            if words and number:
                at = found.start() + words[-1].start()
                text = f"{line.text[:at]}other{line.text[found.start() + words[-1].end() :]}"
                yield _changed(file, number, text, f"another comment: {text.strip()}")


def _tokens(file: EmittedFile) -> Iterator[Mutation]:
    for number, line in enumerate(file.artifact.lines):
        spoken = _SILENT.sub(lambda found: " " * len(found[0]), line.text)
        for found in _TOKEN.finditer(spoken):
            other = _other(found[0])
            text = line.text[: found.start()] + other + line.text[found.end() :]
            yield _changed(file, number, text, f"`{found[0]}` becomes `{other}` in `{line.text.strip()}`")


def _left_out(file: EmittedFile) -> Iterator[Mutation]:
    lines = file.artifact.lines
    for number, line in enumerate(lines):
        if _SILENT.sub("", line.text).strip():
            artifact = replace(file.artifact, lines=lines[:number] + lines[number + 1 :])
            said = f"`{line.text.strip()}` is left out{_within(lines, number)}"
            yield Mutation(replace(file, artifact=artifact), number + 1, said)


def _within(lines: Sequence[Line], number: int) -> str:
    """The heads of the blocks around a line, the innermost first."""
    heads = ""
    depth = _depth(lines[number])
    for line in reversed(lines[:number]):
        if line.text.endswith("{") and _depth(line) < depth:
            depth = _depth(line)
            heads += f" of `{line.text.strip(' {')}`"
    return heads


def _depth(line: Line) -> int:
    return len(line.text) - len(line.text.lstrip())


def _other(token: str) -> str:
    if token in _NEIGHBOURS:
        return _NEIGHBOURS[token]
    if token.startswith("0x"):
        return f"0x{int(token, 16) ^ 1:0{len(token) - 2}x}"
    if token.isdigit():
        return str(int(token) + 1)
    if re.fullmatch(r"[\d.]+", token):
        head, _, last = token.rpartition(".")
        return f"{head}.{int(last) ^ 1}"
    if ":" in token:
        return f"{token}1" if not token.endswith("1") else f"{token[:-1]}3"
    return f"{token}x"


def _changed(file: EmittedFile, number: int, text: str, said: str) -> Mutation:
    lines = file.artifact.lines
    changed = (*lines[:number], Line(text, lines[number].origin), *lines[number + 1 :])
    return Mutation(replace(file, artifact=replace(file.artifact, lines=changed)), number + 1, said)
