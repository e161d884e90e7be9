"""Finds the plugins. Backends are imported one by one, when they are used; the others whenever a spec is read."""

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

import pluggy

from lvsc.diagnostics import Code, Diagnostic
from lvsc.kinds import plain
from lvsc.lowering.lowered import Lowered
from lvsc.plugins.backend import Backend
from lvsc.plugins.hooks import PROJECT, Hooks
from lvsc.plugins.kind import ServiceKind
from lvsc.spec.schema.fragment import Fragment

BACKENDS = "lvsc.backends"
PLUGINS = "lvsc.plugins"


class PluginError(Exception):
    """A plugin that cannot be used; the message names it."""


class Plugins:
    """The plugins of one run."""

    def __init__(self, plugins: Iterable[EntryPoint], backends: Iterable[EntryPoint]) -> None:
        """Load `plugins`; remember `backends`, by name.

        Raises:
            PluginError: A plugin cannot be imported, misspells a hook, or has a name that another has.
        """
        self._backends = _by_name(backends)
        self._loaded: dict[str, Backend] = {}
        self._manager = _manager()
        self._manager.register(plain, "plain")
        for name, entry in _by_name(plugins).items():
            _register(self._manager, name, entry)
        self.kinds: Mapping[str, ServiceKind] = MappingProxyType(_kinds(self._manager))

    @classmethod
    def installed(cls) -> "Plugins":
        """The plugins that are installed beside lvsc."""
        return cls(entry_points(group=PLUGINS), entry_points(group=BACKENDS))

    @property
    def fragments(self) -> dict[str, Fragment]:
        """Each service kind's part of the schema, by kind."""
        return {name: kind.fragment() for name, kind in self.kinds.items()}

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
            _register(manager, name, entry)
            found: list[Backend] = manager.hook.lvsc_backend()
            if len(found) != 1 or found[0].name != name:
                raise PluginError(f"plugin `{entry.value}` does not provide the backend `{name}`")
            self._loaded[name] = found[0]
        return self._loaded[name]

    def lint(self, lowered: Lowered) -> Iterator[Diagnostic]:
        """What the plugins find wrong with a lowered cluster."""
        for found in self._manager.hook.lvsc_lint(lowered=lowered):
            yield from found

    def codes(self) -> Iterator[Code]:
        """The codes of all plugins, the backends' included."""
        for found in self._manager.hook.lvsc_codes():
            yield from found
        for name, entry in self._backends.items():
            manager = _manager()
            _register(manager, name, entry)
            for found in manager.hook.lvsc_codes():
                yield from found


def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    return manager


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
    try:
        manager.register(entry.load(), name)
        # Without this, pluggy accepts a misspelt hook in silence.
        manager.check_pending()
    except (ImportError, AttributeError, pluggy.PluginValidationError, ValueError) as error:
        raise PluginError(f"plugin `{entry.value}` cannot be used: {error}") from error


def _kinds(manager: pluggy.PluginManager) -> dict[str, ServiceKind]:
    kinds: dict[str, ServiceKind] = {}
    for kind in manager.hook.lvsc_service_kind():
        if kind.name in kinds:
            raise PluginError(f"two plugins provide the service kind `{kind.name}`")
        kinds[kind.name] = kind
    return dict(sorted(kinds.items()))
