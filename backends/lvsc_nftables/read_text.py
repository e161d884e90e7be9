"""nft's language read: lvsc's own tables into the model, other people's rules word by word."""

from lvsc.plugin import Foreign, Source, Touch
from lvsc_nftables import read_codes
from lvsc_nftables.read_foreign import ForeignTable, Fragment
from lvsc_nftables.read_foreign_text import declared, words_fragment
from lvsc_nftables.read_model import Document, Table, is_own
from lvsc_nftables.read_others import foreign_of
from lvsc_nftables.read_scope import hook_of
from lvsc_nftables.read_table import read_table
from lvsc_nftables.read_touches import EVERYTHING
from lvsc_nftables.read_words import Cursor

#: Where the hook's name stands: `type filter hook input …`.
_HOOK = 3


def read_text(source: Source) -> Document:
    """All that a text in nft's language says."""
    reader = _TextReader(source)
    reader.read()
    return Document(tuple(reader.tables), tuple(reader.foreign), tuple(reader.words.problems))


class _TextReader:
    def __init__(self, source: Source) -> None:
        self._host = source.host
        self.words = Cursor(source)
        self.tables: list[Table] = []
        self.foreign: list[Foreign] = []

    def read(self) -> None:
        words = self.words
        made: dict[tuple[str, str], int] = {}
        while words.skip_ends():
            start = words.at
            match words.texts(4):
                case ["table", family, name, "{"]:
                    words.at += 3
                    if is_own(family, name):
                        self.tables.append(read_table(words, family, start))
                    else:
                        self._foreign_table(ForeignTable(family=family, name=name))
                case ["table", family, name, "\n" | ";" | ""] if is_own(family, name):
                    words.at += 3
                    made[family, name] = start
                case ["delete", "table", family, name] if (family, name) in made:
                    words.at += 4
                    del made[family, name]
                case ["table", _, _, "\n" | ";" | ""]:
                    words.at += 3
                case _:
                    self._command(start)
            if not words.ended or words.peek == "}":
                words.complain(words.at, "a command should begin here", read_codes.SYNTAX)
                words.at += 1
                words.skip_part()
        for start in made.values():
            words.complain(
                start, "the table is not deleted before it is filled: what it holds stays", read_codes.SYNTAX
            )

    def _command(self, start: int) -> None:
        """Any other command than a table. One about lvsc's tables cannot be followed."""
        words = self.words
        words.skip_part()
        if "lvsc" in (text for _, text, _, _ in words.slice(start)):
            words.complain(
                start, "this changes lvsc's table in a way that is not followed", read_codes.SYNTAX
            )
        else:
            self.foreign.append(
                Foreign(
                    host=self._host,
                    text=words.written(start),
                    touches=EVERYTHING,
                    origin=words.origin(start),
                )
            )

    def _foreign_table(self, table: ForeignTable) -> None:
        self.words.block(lambda: self._item(table))
        self.foreign += foreign_of(self._host, table)

    def _item(self, table: ForeignTable) -> None:
        words, start = self.words, self.words.at
        kind, name, brace = (*words.texts(3), "", "", "")[:3]
        if kind == "chain" and brace == "{":
            words.at += 2
            chain = table.chains.setdefault(name, [])
            head = Fragment(f"chain {name}", words.origin(start))
            words.block(lambda: self._chain_part(table, name, chain, head))
            head.text += " }" if " {" in head.text else ""
            table.heads[name] = head
            return
        words.skip_part()
        found = declared(words.slice(start), words.written(start), words.origin(start))
        if kind in ("set", "map"):
            table.containers[name] = found
        else:
            table.rest.append(found)

    def _chain_part(self, table: ForeignTable, name: str, chain: list[Fragment], head: Fragment) -> None:
        words, start = self.words, self.words.at
        first, second = (*words.texts(2), "", "")[:2]
        words.skip_part()
        if first in ("type", "policy", "devices", "flags") or (first == "comment" and not chain):
            head.text += f"{';' if ' {' in head.text else ' {'} {words.written(start)}"
            if first == "policy" and second != "accept":
                head.touches = frozenset({Touch.FILTER})
            elif first == "type":
                said = [text for _, text, _, _ in words.slice(start)]
                table.bases[name] = hook_of(table.family, "".join(said[_HOOK : _HOOK + 1]))
            return
        chain.append(
            words_fragment(words.slice(start), words.written(start), words.origin(start), table.family)
        )
