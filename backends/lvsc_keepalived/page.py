"""A keepalived.conf as it grows, and what could not be written in it."""

from collections.abc import Callable

from lvsc.plugin import Address, Diagnostic, Node, Origin, Text, shown
from lvsc_keepalived import codes, quote

_INDENT = "    "


class Page:
    """Collects lines in nested blocks. What keepalived would not read literally becomes a problem, never a line.

    `keys` are the spec's of a node that say a text; without any, no one key does.
    """

    def __init__(self) -> None:
        self.text = Text()
        self.problems: list[Diagnostic] = []
        self._indent = ""

    def line(self, text: str, origin: Origin | None = None) -> None:
        """Append a line to the block that is open."""
        line = self._indent + text
        if len(line) > quote.MAX_LINE:
            self.problems.append(
                codes.LINE.at(
                    origin,
                    f"a line of keepalived.conf would be {len(line)} bytes long, more than {quote.MAX_LINE}",
                    notes=[f"it begins `{line[:60].strip()}`"],
                    help="say less in one value, or put a long command in a script",
                )
            )
        else:
            self.text.add(line, origin)

    def say(self, keyword: str, how: Callable[..., str], text: str, node: Node, *keys: str) -> None:
        """Append a line of a keyword and a text, which `how` makes a word, a command or a regular expression."""
        line = f"{keyword} {how(text, node, *keys)}"
        fits = len(self._indent) + len(line) <= quote.MAX_LINE
        self.line(line, node.origin if fits else node.at(*keys))

    def open(self, head: str, origin: Origin | None = None) -> None:
        """Begin a block."""
        self.line(f"{head} {{", origin)
        self._indent += _INDENT

    def close(self) -> None:
        """End the innermost block."""
        self._indent = self._indent[: -len(_INDENT)]
        self.line("}")

    def gap(self) -> None:
        """An empty line between blocks of the top level."""
        self.text.add()

    def comment(self, text: str, node: Node) -> None:
        """A comment line."""
        self.line(self._quoted(quote.comment, text, node), node.origin)

    def word(self, text: str, node: Node, *keys: str) -> str:
        """The text as one word."""
        return self._quoted(quote.word, text, node, *keys)

    def regex(self, text: str, node: Node, *keys: str) -> str:
        """The text as a regular expression."""
        return self._quoted(quote.regex, text, node, *keys)

    def command(self, text: str, node: Node, *keys: str) -> str:
        """The text as a command."""
        return self._quoted(quote.command, text, node, *keys)

    def address(self, value: Address, node: Node, *keys: str) -> str:
        """The address."""
        try:
            return quote.address(value)
        except quote.UnsayableError as reason:
            self._refuse(str(value), reason, node, *keys)
            return ""

    def _quoted(self, how: Callable[[str], str], text: str, node: Node, *keys: str) -> str:
        try:
            return how(text)
        except quote.UnsayableError as reason:
            self._refuse(text, reason, node, *keys)
            return ""

    def _refuse(self, text: str, reason: quote.UnsayableError, node: Node, *keys: str) -> None:
        self.problems.append(
            codes.TEXT.at(
                node.at(*keys) if keys else node.origin,
                f"`{shown(text)}` cannot be written in keepalived.conf: {reason}",
                help="choose another text, or put a command with such characters in a script of its own",
            )
        )
