"""The keywords of a block with their values. What is wrong with one becomes a problem at its place."""

import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv6Address, ip_address

from lvsc.plugin import Address, Code, Diagnostic, Origin, Place, Secret, nearest, shown
from lvsc_keepalived import read_codes, read_commands
from lvsc_keepalived.read_lines import Statement

_DIGITS = re.compile(r"[0-9]{1,10}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,6})?", re.ASCII)
_TRUTH = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}
_CORRECT = "correct it"


class Report:
    """The file that is read, and what is wrong with it."""

    def __init__(
        self,
        host: str,
        file: str,
        problems: list[Diagnostic],
        secrets: Mapping[int, Secret] | None = None,
    ) -> None:
        self.host = host
        self.secrets = secrets or {}
        """The passwords that were hidden, by line."""
        self.file = file
        self.problems = problems
        self._addresses: dict[str, Address] = {}

    def at(
        self,
        code: Code,
        statement: Statement,
        message: str,
        *,
        index: int = 0,
        advice: str = _CORRECT,
        other: Origin | None = None,
    ) -> None:
        """A problem at one of a statement's words."""
        others = [Place(other, label="the first")] if other is not None else []
        self.problems.append(code.at(statement.place(self.file, index), message, others=others, help=advice))

    def value(self, statement: Statement, index: int, what: str) -> None:
        """A problem with a word that is not what it should be."""
        word = statement.words[index] if index < len(statement.words) else ""
        self.at(read_codes.VALUE, statement, f"`{shown(word)}` is not {what}", index=index)

    def origin(self, statement: Statement) -> Origin:
        """Where a statement stands."""
        return statement.origin(self.file)

    def number(self, statement: Statement, index: int, what: str, low: int, high: int) -> int | None:
        """The number that a word is, if it is one within the bounds."""
        word = statement.words[index] if index < len(statement.words) else ""
        if _DIGITS.fullmatch(word) and low <= int(word) <= high:
            return int(word)
        self.value(statement, index, f"{what} from {low} to {high}")
        return None

    def address(self, statement: Statement, index: int) -> Address | None:
        """The address that a word is, if it is one."""
        word = statement.words[index] if index < len(statement.words) else ""
        known = self._addresses.get(word)
        if known is not None:
            return known
        try:
            address = ip_address(word)
        except ValueError:
            self.value(statement, index, "an address")
            return None
        if isinstance(address, IPv6Address) and address.scope_id is not None:
            self.value(statement, index, "an address without a `%`")
            return None
        self._addresses[word] = address
        return address

    def words(self, statement: Statement, low: int, high: int) -> bool:
        """Whether a statement has so many words, its keyword among them, and no block."""
        if statement.block is not None:
            self.at(read_codes.KEYWORD, statement, f"`{shown(statement.words[0])}` has no block here")
            return False
        if low <= len(statement.words) <= high:
            return True
        index = min(len(statement.words), high)
        message = "a value is missing" if len(statement.words) < low else "this is a value too many"
        self.at(read_codes.VALUE, statement, f"{message} after `{shown(statement.words[0])}`", index=index)
        return False


class Keywords:
    """Which keywords a block has."""

    def __init__(self, name: str, single: Iterable[str], many: Iterable[str] = (), **same: str) -> None:
        """``same``: other words for keywords among ``single``, with `_` as they are written."""
        self.name = name
        self.single: Mapping[str, str] = {**{word: word for word in single}, **same}
        self.many = frozenset(many)


class Fields:
    """The statements of one block, by keyword."""

    __slots__ = ("many", "report", "said", "statement")

    def __init__(self, report: Report, statement: Statement, known: Keywords) -> None:
        self.report = report
        self.statement = statement
        self.said: dict[str, Statement] = {}
        self.many: list[Statement] = []
        """Those that may be there several times, in order."""
        if statement.block is None:
            report.at(read_codes.SYNTAX, statement, "here a block is missing", advice="add `{` and `}`")
            return
        for found in statement.block:
            word = found.words[0]
            name = known.single.get(word)
            if name is not None:
                first = self.said.setdefault(name, found)
                if first is not found:
                    report.at(
                        read_codes.STRUCTURE,
                        found,
                        f"`{word}` is here twice",
                        advice="remove one of the two",
                        other=report.origin(first),
                    )
            elif word in known.many:
                self.many.append(found)
            else:
                self._unknown(found, known)

    def _unknown(self, found: Statement, known: Keywords) -> None:
        word = found.words[0]
        like = nearest(word, sorted({*known.single, *known.many}))
        self.report.at(
            read_codes.KEYWORD,
            found,
            f"`{shown(word)}` in `{known.name}` is not understood",
            advice=f"did you mean `{like}`?" if like else "remove it",
        )

    def __contains__(self, name: str) -> bool:
        return name in self.said

    def text(self, name: str) -> str | None:
        """The keyword's only value."""
        found = self.said.get(name)
        if found is None or not self.report.words(found, 2, 2):
            return None
        if not found.words[1]:
            self.report.value(found, 1, "a value")
            return None
        return found.words[1]

    def one_of(self, name: str, choices: Mapping[str, str]) -> str | None:
        """What the keyword's value stands for; None where it is unsaid or none of the choices."""
        value = self.text(name)
        if value is None or value in choices:
            return None if value is None else choices[value]
        self.report.value(self.said[name], 1, f"one of {', '.join(choices)}")
        return None

    def number(self, name: str, low: int, high: int, default: int) -> int:
        """The keyword's number, or the default."""
        found = self.said.get(name)
        if found is None or not self.report.words(found, 2, 2):
            return default
        value = self.report.number(found, 1, "a number", low, high)
        return default if value is None else value

    def seconds(self, name: str, default: float, *, least: float = 0) -> float:
        """The keyword's time, to a microsecond, or the default."""
        found = self.said.get(name)
        if found is None or not self.report.words(found, 2, 2):
            return default
        if not _SECONDS.fullmatch(found.words[1]) or float(found.words[1]) < least:
            self.report.value(found, 1, "a time in seconds")
            return default
        return float(found.words[1])

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Whether the keyword is there, alone or with a word for yes."""
        found = self.said.get(name)
        if found is None or not self.report.words(found, 1, 2):
            return default
        value = _TRUTH.get(found.words[1]) if len(found.words) > 1 else True
        if value is None:
            self.report.value(found, 1, "a word for yes or no")
        return default if value is None else value

    def bare(self, name: str) -> bool:
        """Whether the keyword is there, which has no value."""
        found = self.said.get(name)
        return found is not None and self.report.words(found, 1, 1)

    def command(self, name: str) -> str | None:
        """The command that the keyword runs."""
        found = self.said.get(name)
        if found is None:
            return None
        command = read_commands.command(found.text) if found.block is None else None
        if command is None:
            self.report.at(
                read_codes.VALUE,
                found,
                f"`{name}` has no command that every keepalived reads alike",
                index=1,
                advice="put an absolute path and its arguments in double quotes, and say `script_user` once for all",
            )
        return command

    def address(self, name: str) -> Address | None:
        """The keyword's address."""
        found = self.said.get(name)
        if found is None or not self.report.words(found, 2, 2):
            return None
        return self.report.address(found, 1)

    def entries(self, name: str) -> Iterator[Statement]:
        """The lines of the block of values that the keyword has."""
        found = self.said.get(name)
        if found is None:
            return
        if found.block is None or len(found.words) > 1:
            self.report.at(
                read_codes.SYNTAX, found, f"`{name}` has a block of values", advice="add `{` and `}`"
            )
            return
        for entry in found.block:
            if entry.block is None:
                yield entry
            else:
                self.report.at(read_codes.SYNTAX, entry, f"`{name}` has values and no blocks")

    def names(self, name: str) -> list[str]:
        """All words of the block of values that the keyword has."""
        return [word for entry in self.entries(name) for word in entry.words]
