"""From the words of a command line to the sides of a comparison: the only place that reads what is compared."""

import json
import os
import subprocess
from pathlib import Path

from lvsc.commands.console import Console
from lvsc.commands.live import LIVE, live_host, live_sources
from lvsc.commands.specs import STDIN, UNREADABLE, compile_source, usable_plugins
from lvsc.compare.sides import Side, of_compiled, of_texts
from lvsc.compile import Compiled, Options, compile_spec
from lvsc.diagnostics import Code, Diagnostic, DiagnosticError
from lvsc.output.files import MANIFEST
from lvsc.output.manifest import secret_sources, sources
from lvsc.plugins.backend import Role
from lvsc.plugins.manager import Plugins
from lvsc.plugins.reading import Source
from lvsc.spec.read import decode

NO_REVISION = Code(
    "LVS016",
    "a revision that git does not have",
    """`REV:PATH` is a file of a git revision, as git itself names it: `HEAD~1:cluster.toml`, with the path from the top of
the repository. lvsc asks `git` for it, and git does not know the revision, has no such file in it, or is not installed.""",
    trouble=True,
)
NO_READER = Code(
    "LVS017",
    "a text that no backend reads",
    """A side of a comparison is a spec (its name ends in `.toml`), a directory that `lvsc build` wrote, a file of a git
revision (`HEAD~1:cluster.toml`), `live`, or a configuration file in a language that an installed backend reads:
`iptables-save`, an nft ruleset as text or JSON, `ipvsadm -Sn`, keepalived.conf. This is none of them. A spec of
another name is told by `.toml` at its end.""",
    trouble=True,
)
NOT_BUILT = Code(
    "LVS019",
    "a directory that was not built",
    """A directory is compared by the manifest that `lvsc build` writes beside the hosts' files. This one has no
`manifest.json`, or one that names files which are not there. Name the cluster's own directory (`build/shop`).""",
    trouble=True,
)

ALL = (NO_REVISION, NO_READER, NOT_BUILT)


class SideReader:
    """Reads the sides of one comparison."""

    def __init__(self, console: Console, plugins: Plugins, options: Options, host: str | None) -> None:
        """`host` is what the host of a file or of this machine is called; unsaid, its own name."""
        self._console = console
        self._plugins = plugins
        self._options = options
        self._host = host
        self.warnings: list[Diagnostic] = []

    def side(self, name: str) -> Side:
        """The side that a word of the command line names.

        Raises:
            DiagnosticError: It cannot be read, or has errors.
        """
        if name == LIVE:
            return self.live()
        path = Path(name)
        if name == STDIN or path.is_file():
            return self.spec(name) if name == STDIN or path.suffix == ".toml" else self.file(name)
        if path.is_dir():
            return self.tree(path)
        revision, colon, inside = name.partition(":")
        if colon and revision and inside:
            return self.revision(name, name)
        return self.spec(name)

    def spec(self, name: str) -> Side:
        """A spec in a file, compiled."""
        return self.spec_with(name, self._options, name)

    def spec_with(self, name: str, options: Options, called: str) -> Side:
        """A spec in a file, compiled with options of its own."""
        return self.compiled(called, compile_source(name, self._console, self._plugins, options))

    def compiled(self, called: str, compiled: Compiled) -> Side:
        """A spec that is compiled, wherever it was."""
        self.warnings += compiled.diagnostics
        return of_compiled(called, compiled)

    def before(self, revision: str, spec: str) -> Side:
        """A spec as it is in a git revision."""
        path = Path(spec)
        return self.revision(f"{revision}:./{path.name}", f"{revision}:{spec}", path.parent)

    def revision(self, thing: str, called: str, directory: Path | None = None) -> Side:
        """A file of a git revision, compiled, or read where it is no spec."""
        data = _git(thing, called, directory or Path())
        if not called.endswith(".toml"):
            return self._texts(called, [self._source(called, decode(data, called))])
        return self.spec_of(data, called)

    def spec_of(self, data: bytes, called: str) -> Side:
        """A spec's bytes, compiled."""
        text = decode(data, called)
        self._console.sources[called] = text
        with usable_plugins():
            compiled = compile_spec(text, called, self._plugins, self._options)
        return self.compiled(called, compiled)

    def file(self, name: str) -> Side:
        """A configuration file in the language of a backend."""
        return self._texts(name, [self._source(name, decode(_read(Path(name)), name))])

    def live(self) -> Side:
        """What runs on this machine."""
        texts = live_sources(self._host or live_host())
        filled = [text for text in texts if text.text.strip()]
        with usable_plugins():
            side, unknown = of_texts(
                LIVE,
                filled,
                self._plugins,
                roles=frozenset({Role.PACKET_FILTER, Role.DIRECTOR}),
            )
        if unknown:
            raise DiagnosticError([_unreadable(source.file) for source in unknown])
        return side

    def tree(self, directory: Path) -> Side:
        """What a build wrote."""
        manifest = directory / MANIFEST
        if not manifest.is_file():
            raise DiagnosticError(
                [
                    NOT_BUILT.at(
                        None,
                        f"`{directory}` has no `{MANIFEST}`",
                        help="name a cluster's directory below the one that `lvsc build` wrote to",
                    )
                ]
            )
        data = _read(manifest)
        texts = []
        found = sources(data, str(manifest), _cluster(data))
        secret = secret_sources(data)
        for source in sorted(found):
            text = decode(_read(directory / source), source)
            host = source.partition("/")[0]
            texts.append(Source(host=host, file=source, text=text, holds_secret=source in secret))
        with usable_plugins():
            # Units and settings have no reader: they are compared as text.
            side, _ = of_texts(str(directory), texts, self._plugins, complete=True)
        return side

    def _source(self, file: str, text: str) -> Source:
        return Source(host=self._host or "host", file=file, text=text)

    def _texts(self, name: str, texts: list[Source]) -> Side:
        with usable_plugins():
            side, unknown = of_texts(name, texts, self._plugins)
        if unknown:
            raise DiagnosticError([_unreadable(name)])
        return side


def _unreadable(name: str) -> Diagnostic:
    return NO_READER.at(
        None,
        f"no installed backend reads `{name}`",
        help="`lvsc explain LVS017` says what can be compared",
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DiagnosticError(
            [
                UNREADABLE.at(
                    None,
                    f"`{path}` cannot be read: {error.strerror}",
                    help="name a file that exists and is yours to read",
                )
            ]
        ) from error


def _cluster(manifest: bytes) -> str:
    """The cluster that a manifest says to be of; what is no manifest is for the one who checks it."""
    try:
        return str(json.loads(manifest)["cluster"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""


def _git(thing: str, called: str, directory: Path) -> bytes:
    """The bytes of a file of a revision.

    Raises:
        DiagnosticError: git does not have it.
    """
    advice = "name a revision and a path from the top of the repository, such as `HEAD~1:cluster.toml`"
    if thing.startswith("-"):
        raise DiagnosticError([NO_REVISION.at(None, f"`{called}` is no revision", help=advice)])
    try:
        done = subprocess.run(  # noqa: S603 - the revision is one word, and no option
            ["git", "cat-file", "blob", thing],  # noqa: S607 - the user's own git
            cwd=directory,
            capture_output=True,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError as error:
        problem = NO_REVISION.at(None, f"`git` cannot be run: {error.strerror}", help="install git")
        raise DiagnosticError([problem]) from error
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        raise DiagnosticError([NO_REVISION.at(None, f"git does not have `{called}`: {reason}", help=advice)])
    return done.stdout
