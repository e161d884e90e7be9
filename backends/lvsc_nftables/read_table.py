"""One of lvsc's own tables in nft's language, read strictly into the model."""

import re

from lvsc.plugin import shown
from lvsc_nftables.read_model import (
    Base,
    Chain,
    Container,
    Element,
    HelperObject,
    Jump,
    Key,
    Lookup,
    Match,
    Return,
    Rule,
    SetHelper,
    SetMark,
    Snat,
    Statement,
    Table,
    Untrack,
)
from lvsc_nftables.read_words import Cursor, Kind, MisreadError

#: nft(8), CHAINS: the names of priorities in the families of lvsc's tables.
_PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,8})")
_PACKET_FIELDS = {
    "ip": ("saddr", "daddr"),
    "ip6": ("saddr", "daddr"),
    "ether": ("saddr",),
    "tcp": ("sport", "dport"),
    "udp": ("sport", "dport"),
    "sctp": ("sport", "dport"),
    "th": ("sport", "dport"),
}


def read_table(words: Cursor, family: str, start: int) -> Table:
    """The table whose block begins at the cursor. What is not understood is a problem of the cursor's."""
    parser = _TableParser(words, Table(family, words.origin(start)))
    words.block(parser.item)
    return parser.table


class _TableParser:
    def __init__(self, words: Cursor, table: Table) -> None:
        self._words = words
        self.table = table

    def item(self) -> None:
        """A set, map, helper object or chain."""
        words, start = self._words, self._words.at
        kind = words.value()
        match kind:
            case "set" | "map":
                container = Container(words.value(), words.origin(start), kind == "map")
                words.block(lambda: self._container(container))
                self._once(container.name, start, container.name in self.table.containers)
                self.table.containers[container.name] = container
            case "chain":
                chain = Chain(words.value(), words.origin(start))
                words.block(lambda: self._chain(chain))
                self._once(chain.name, start, chain.name in self.table.chains)
                self.table.chains[chain.name] = chain
            case "ct" if words.accept("helper"):
                self._helper(start)
            case _:
                words.fail(f"lvsc has no `{shown(kind)}` in its table", start)

    def _once(self, name: str, start: int, there: bool) -> None:  # noqa: FBT001 - a fact, not a switch
        if there:
            self._words.complain(start, f"`{shown(name)}` is there twice")

    def _helper(self, start: int) -> None:
        words = self._words
        name = words.value()
        said: dict[str, str] = {}

        def part() -> None:
            at = words.at
            word = words.value()
            if word in said:
                words.fail(f"`{word}` is said twice", at)
            if word == "type":
                helper = words.string()
                words.expect("protocol")
                said["type"], said["protocol"] = helper, words.value()
            elif word == "l3proto":
                said[word] = words.value()
            else:
                words.fail(f"lvsc's helper objects have no `{shown(word)}`", at)

        words.block(part)
        if "type" not in said:
            words.complain(start, f"the helper object `{shown(name)}` says no helper")
            return
        self._once(name, start, name in self.table.helpers)
        self.table.helpers[name] = HelperObject(
            name=name,
            helper=said["type"],
            protocol=said["protocol"],
            family=said.get("l3proto", self.table.family),
            origin=words.origin(start),
        )

    # --- sets and maps -------------------------------------------------------------------------------------------

    def _container(self, container: Container) -> None:
        words, start = self._words, self._words.at
        word = words.value()
        match word:
            case "type" if not container.types:
                container.types = self._joined()
                if words.accept(":"):
                    container.answers = words.value()
            case "flags" if not container.interval:
                words.expect("interval")
                container.interval = True
            case "size":
                words.value()
            case "elements":
                words.expect("=", "{")
                self._elements(container)
            case _:
                words.fail(f"lvsc's sets and maps have no `{shown(word)}` here", start)

    def _elements(self, container: Container) -> None:
        words = self._words
        while True:
            words.skip_newlines()
            if words.accept("}"):
                return
            if words.kind is Kind.NOTHING:
                words.fail("the elements do not end")
            try:
                container.elements.append(self._element(container))
                words.skip_newlines()
                if words.peek not in (",", "}"):
                    words.fail("the element should end here")
            except MisreadError as error:
                words.problems.append(error.diagnostic)
                words.skip_part(",")
            words.accept(",")

    def _element(self, container: Container) -> Element:
        words, start = self._words, self._words.at
        key = self._joined()
        comment = words.string() if words.accept("comment") else ""
        answer = ""
        if container.is_map:
            words.expect(":")
            answer = words.value()
        return Element(key, answer, comment, words.origin(start))

    def _joined(self) -> Key:
        """Values that stand for several fields: `192.0.2.10 . tcp . 80`."""
        words = self._words
        values = [words.value()]
        while words.accept("."):
            values.append(words.value())
        return tuple(values)

    # --- chains --------------------------------------------------------------------------------------------------

    def _chain(self, chain: Chain) -> None:
        words, start = self._words, self._words.at
        if words.accept("type"):
            if chain.base is not None or chain.rules:
                words.fail("a chain's type stands at its beginning, once", start)
            chain.base = self._base()
        elif words.accept("policy"):
            if chain.base is None or chain.rules:
                words.fail("a policy belongs behind the type of a base chain", start)
            chain.base = Base(chain.base.type, chain.base.hook, chain.base.priority, words.value())
        else:
            chain.rules.append(self._rule())

    def _base(self) -> Base:
        words = self._words
        kind = words.value()
        words.expect("hook")
        hook = words.value()
        words.expect("priority")
        return Base(kind, hook, self._priority(), "accept")

    def _priority(self) -> int:
        words, start = self._words, self._words.at
        word = words.value()
        if _INTEGER.fullmatch(word):
            return int(word)
        if word not in _PRIORITIES:
            words.fail(f"`{shown(word)}` is no priority", start)
        priority = _PRIORITIES[word]
        for sign, factor in (("+", 1), ("-", -1)):
            if words.accept(sign):
                number = words.value()
                if not _INTEGER.fullmatch(number) or number.startswith("-"):
                    words.fail(f"`{shown(number)}` is no number", words.at - 1)
                return priority + factor * int(number)
        return priority

    def _rule(self) -> Rule:
        words, start = self._words, self._words.at
        statements: list[Statement] = []
        comment = ""
        while not words.ended:
            if words.accept("comment"):
                comment = words.string()
            elif words.accept("counter"):
                if words.accept("packets"):
                    words.value()
                    words.expect("bytes")
                    words.value()
            else:
                statements.append(self._statement())
        return Rule(tuple(statements), comment, words.origin(start))

    def _statement(self) -> Statement:
        words, start = self._words, self._words.at
        if words.accept("notrack"):
            return Untrack()
        if words.accept("return"):
            return Return()
        if words.accept("jump"):
            return Jump(words.value())
        if words.accept("snat"):
            family = next((ip for ip in ("ip", "ip6") if words.accept(ip)), None)
            words.expect("to")
            return Snat(family, self._answer())
        fields = self._fields()
        if words.accept("set"):
            if fields == ("meta mark",):
                return SetMark(self._answer())
            if fields == ("ct helper",):
                return SetHelper(words.value())
            words.fail("lvsc sets nothing but marks and helpers", start)
        words.accept("==")
        if words.kind is Kind.WORD and words.peek.startswith("@"):
            return Lookup(fields, words.value()[1:])
        return Match(fields, self._values())

    def _answer(self) -> str | Lookup:
        """A value, or a map's answer for fields."""
        words = self._words
        if words.peek in _PACKET_FIELDS or words.peek in ("ct", "meta"):
            fields = self._fields()
            words.expect("map")
            at = words.at
            name = words.value()
            if not name.startswith("@"):
                words.fail("lvsc's maps have names", at)
            return Lookup(fields, name[1:])
        return words.value()

    def _values(self) -> tuple[Key, ...]:
        words = self._words
        if not words.accept("{"):
            return (self._joined(),)
        found: list[Key] = []
        while True:
            words.skip_newlines()
            found.append(self._joined())
            words.skip_newlines()
            if words.accept("}"):
                return tuple(found)
            words.expect(",")

    def _fields(self) -> Key:
        fields = [self._field()]
        while self._words.accept("."):
            fields.append(self._field())
        return tuple(fields)

    def _field(self) -> str:
        words, start = self._words, self._words.at
        word = words.value() if words.kind is Kind.WORD else ""
        if word in _PACKET_FIELDS:
            name = words.value()
            if name in _PACKET_FIELDS[word]:
                return f"{word} {name}"
        elif word in ("iifname", "oifname"):
            return f"meta {word}"
        elif word == "meta":
            return f"meta {words.value()}"
        elif word == "ct":
            name = words.value()
            if name != "original":
                return f"ct {name}"
            name = words.value()
            return f"ct original {name} {words.value()}" if name in ("ip", "ip6") else f"ct original {name}"
        return words.fail("lvsc has no rule that begins like this", start)
