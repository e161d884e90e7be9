"""Finds the plugins. Backends are imported one by one, when they are used; the others whenever a spec is read."""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

import pluggy

from lvsc.blame import blamed
from lvsc.diagnostics import Code, Diagnostic
from lvsc.kinds import plain
from lvsc.lowering.lowered import Lowered
from lvsc.plugins.backend import Backend, Role
from lvsc.plugins.hooks import PROJECT, Hooks
from lvsc.plugins.kind import ServiceKind
from lvsc.spec.schema.fragment import Fragment
from lvsc.spec.schema.services import check_fragment

BACKENDS = "lvsc.backends"
PLUGINS = "lvsc.plugins"
#: What a plugin's code looks like; `lvsc explain` tells it from a file's name by it.
_CODE = re.compile(r"[A-Z]{2,8}[0-9]{2,4}")
#: What lvsc's own codes begin with.
_OWN = "LVS"


class PluginError(Exception):
    """A plugin that cannot be used; the message names it."""


class Plugins:
    """The plugins of one run."""

    def __init__(self, plugins: Iterable[EntryPoint], backends: Iterable[EntryPoint]) -> None:
        """Load `plugins`; remember `backends`, by name.

        Raises:
            PluginError: A plugin cannot be imported, misspells a hook, has a name or a code that another has, or a service
                kind defines a key that every service has or asks for a backend that is not installed.
        """
        self._backends = _by_name(backends)
        self._loaded: dict[str, Backend] = {}
        self._codes: dict[str, tuple[Code, str]] = {}
        """By identifier, of the plugins that are loaded, each with the plugin's module."""
        self._manager = _manager()
        self._manager.register(plain, "plain")
        for name, entry in _by_name(plugins).items():
            self._register(self._manager, name, entry)
        self.kinds: Mapping[str, ServiceKind] = MappingProxyType(_kinds(self._manager, self._backends))
        self.fragments: Mapping[str, Fragment] = MappingProxyType(
            {name: _fragment(kind) for name, kind in self.kinds.items()}
        )
        """Each service kind's part of the schema, by kind."""

    @classmethod
    def installed(cls) -> "Plugins":
        """The plugins that are installed beside lvsc."""
        return cls(entry_points(group=PLUGINS), entry_points(group=BACKENDS))

    @property
    def backend_names(self) -> tuple[str, ...]:
        """The names of all backends, sorted; none is imported for it."""
        return tuple(self._backends)

    def backend(self, name: str) -> Backend:
        """The backend of a name.

        Raises:
            KeyError: There is none.
            PluginError: It cannot be imported, or does not provide the backend.
        """
        if name not in self._loaded:
            entry = self._backends[name]
            manager = _manager()
            self._register(manager, name, entry)
            self._loaded[name] = _provided(manager, name, entry)
        return self._loaded[name]

    def lint(self, lowered: Lowered) -> Iterator[Diagnostic]:
        """What the plugins find wrong with a lowered cluster.

        Raises:
            DiagnosticError: A plugin fails.
        """
        # pluggy keeps in this order, and asks the last first.
        for hook in reversed(self._manager.hook.lvsc_lint.get_hookimpls()):
            with blamed(f"plugin `{hook.plugin_name}`", f"cluster `{lowered.cluster.name}`"):
                for each in _given(hook, *(lowered for _ in hook.argnames)):
                    yield _diagnostic(each)

    def codes(self) -> tuple[Code, ...]:
        """The codes of all plugins, the backends' included.

        Raises:
            PluginError: A backend cannot be imported, or has a code that another plugin has.
        """
        for name, entry in self._backends.items():
            if name not in self._loaded:
                self._register(_manager(), name, entry)
        return tuple(code for code, _ in self._codes.values())

    def _register(self, manager: pluggy.PluginManager, name: str, entry: EntryPoint) -> None:
        """Load a plugin, and remember its codes."""
        _register(manager, name, entry)
        for code in _codes(manager, name, entry):
            known, owner = self._codes.setdefault(code.id, (code, entry.value))
            if known != code:
                raise PluginError(f"plugins `{owner}` and `{entry.value}` both have the code `{code.id}`")


def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    return manager


def _given(hook: pluggy.HookImpl, *arguments: Any) -> Iterable[Any]:  # noqa: ANN401 - what a plugin gives is not known
    """What one plugin's implementation of a hook gives, whatever it is."""
    given: Any = hook.function(*arguments)
    return given  # type: ignore[no-any-return]  # likewise


def _diagnostic(given: Diagnostic) -> Diagnostic:
    """What a lint gives as a diagnostic, if it is one."""
    if not isinstance(given, Diagnostic):
        raise TypeError(f"it gives {given!r} where a diagnostic should be")
    return given


def _by_name(entries: Iterable[EntryPoint]) -> dict[str, EntryPoint]:
    named: dict[str, EntryPoint] = {}
    for entry in sorted(entries, key=lambda entry: (entry.name, entry.value)):
        other = named.setdefault(entry.name, entry)
        if other.value != entry.value:
            raise PluginError(
                f"two plugins have the name `{entry.name}`: `{other.value}` and `{entry.value}`"
            )
    return named


def _register(manager: pluggy.PluginManager, name: str, entry: EntryPoint) -> None:
    with _blamed(f"plugin `{entry.value}` cannot be used"):
        module = entry.load()
        manager.register(module, name)
        # Without this, pluggy accepts a misspelt hook in silence.
        manager.check_pending()
    if not manager.get_hookcallers(module):
        raise PluginError(f"plugin `{entry.value}` implements no hook; is `@hookimpl` missing above one?")


def _codes(manager: pluggy.PluginManager, name: str, entry: EntryPoint) -> list[Code]:
    """The codes of a registered plugin."""
    with _blamed(f"plugin `{entry.value}` fails to provide its codes"):
        hooks = manager.hook.lvsc_codes.get_hookimpls()
        found = [code for hook in hooks if hook.plugin_name == name for code in _given(hook)]
    for code in found:
        if not isinstance(code, Code):
            raise PluginError(f"plugin `{entry.value}` provides {code!r} where a code should be")
        if not _CODE.fullmatch(code.id) or code.id.startswith(_OWN):
            raise PluginError(
                f"plugin `{entry.value}` has the code `{code.id}`: a code is two to eight capitals and two to four"
                f" digits, and those of {_OWN} are lvsc's"
            )
    return found


def _provided(manager: pluggy.PluginManager, name: str, entry: EntryPoint) -> Backend:
    with _blamed(f"plugin `{entry.value}` fails to provide the backend `{name}`"):
        found = manager.hook.lvsc_backend()
    match found:
        case [Backend(name=own, title=str(), role=Role()) as backend] if own == name:
            return backend
    raise PluginError(f"plugin `{entry.value}` does not provide the backend `{name}`")


def _kinds(manager: pluggy.PluginManager, backends: Container[str]) -> dict[str, ServiceKind]:
    kinds: dict[str, ServiceKind] = {}
    providers: dict[str, str] = {}
    for hook in manager.hook.lvsc_service_kind.get_hookimpls():
        with _blamed(f"plugin `{hook.plugin_name}` fails to provide its service kind"):
            kind = hook.function()
        if not isinstance(kind, ServiceKind):
            raise PluginError(f"plugin `{hook.plugin_name}` provides {kind!r} where a service kind should be")
        other = providers.setdefault(kind.name, hook.plugin_name)
        if other != hook.plugin_name:
            raise PluginError(
                f"plugins `{other}` and `{hook.plugin_name}` both provide the service kind `{kind.name}`"
            )
        for backend in kind.backends:
            if backend not in backends:
                raise PluginError(
                    f"service kind `{kind.name}` asks for the backend `{backend}`, which no plugin provides"
                )
        kinds[kind.name] = kind
    return dict(sorted(kinds.items()))


def _fragment(kind: ServiceKind) -> Fragment:
    with _blamed(f"service kind `{kind.name}` has no schema"):
        fragment = kind.fragment()
        check_fragment(kind.name, fragment)
    return fragment


@contextmanager
def _blamed(what: str) -> Iterator[None]:
    """Whatever a plugin raises, on import or in a hook, makes it one that cannot be used.

    Raises:
        PluginError: Within, something was raised.
    """
    try:
        yield
    # One that leaves the program would look like one that is fine.
    except (Exception, SystemExit) as error:
        raise PluginError(f"{what}: {type(error).__name__}: {error}") from error
