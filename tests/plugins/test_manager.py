# ruff: noqa: ARG002 - the fakes look at nothing that they are given
"""Plugins that cannot be used are named; those that can are found whatever order they come in."""

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

from lvsc.diagnostics import Code
from lvsc.graph.nodes import Node
from lvsc.kinds.plain import PlainKind
from lvsc.plugin import Backend, Emission, Fragment, HostPart, Plan, Role, ServiceKind, Table, hookimpl
from lvsc.plugins.manager import BACKENDS, PLUGINS, PluginError, Plugins
from lvsc.spec.model import Cluster, Service
from support.specs import lowered, spec

CODE = Code("FAK001", "a fake", "Nothing is wrong.")


class Fake(Backend):
    name = "fake"
    title = "a fake"
    role = Role.SETTINGS

    def renders(self, node: Node) -> bool:
        return False

    def emit(self, part: HostPart) -> Emission:
        return Emission()


class Other(Fake):
    name = "other"


class Echo(ServiceKind):
    name = "echo"
    title = "echo"

    def fragment(self) -> Fragment:
        return Fragment(title="Echo", description="Echo.")

    def options(self, table: Table) -> object:
        return None

    def plan(self, service: Service, cluster: Cluster) -> Plan:
        return Plan(ports=())


Make = Callable[..., EntryPoint]


@pytest.fixture
def plugin() -> Iterator[Make]:
    """Makes an entry point whose module holds the given hooks."""
    made: list[str] = []

    def make(
        name: str, group: str = PLUGINS, module: str | None = None, **hooks: Callable[..., object]
    ) -> EntryPoint:
        path = module or f"lvsc_test_{name}"
        sys.modules[path] = ModuleType(path)
        made.append(path)
        for hook, function in hooks.items():
            setattr(sys.modules[path], hook, function)
        return EntryPoint(name=name, value=path, group=group)

    yield make
    for path in made:
        sys.modules.pop(path, None)


@hookimpl
def fake_backend() -> Backend:
    return Fake()


@hookimpl
def other_backend() -> Backend:
    return Other()


@hookimpl
def echo_kind() -> ServiceKind:
    return Echo()


@hookimpl
def plain_kind() -> ServiceKind:
    return PlainKind()


@hookimpl
def codes() -> tuple[Code, ...]:
    return (CODE,)


@hookimpl
def broken() -> ServiceKind:
    raise LookupError("no luck")


def test_a_plugins_kind_stands_beside_the_plain_one(plugin: Make) -> None:
    plugins = Plugins([plugin("echo", lvsc_service_kind=echo_kind)], [])
    assert list(plugins.kinds) == ["echo", "plain"]
    assert list(plugins.fragments) == ["echo", "plain"]


def test_a_misspelt_hook_names_its_plugin(plugin: Make) -> None:
    with pytest.raises(PluginError, match=r"plugin `lvsc_test_echo` cannot be used: .*lvsc_servis_kind"):
        Plugins([plugin("echo", lvsc_servis_kind=echo_kind)], [])


def test_a_hook_of_other_arguments_names_its_plugin(plugin: Make) -> None:
    @hookimpl
    def lint(lowered: object, more: object) -> tuple[()]:  # noqa: ARG001 - what is wrong with it
        return ()

    with pytest.raises(PluginError, match="plugin `lvsc_test_echo` cannot be used"):
        Plugins([plugin("echo", lvsc_lint=lint)], [])


def test_a_plugin_without_a_hook_names_itself(plugin: Make) -> None:
    with pytest.raises(PluginError, match="plugin `lvsc_test_echo` implements no hook"):
        Plugins([plugin("echo")], [])


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import lvsc_there_is_none", "ModuleNotFoundError"),
        ("x = (", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
    ],
    ids=["import", "syntax", "anything"],
)
def test_a_plugin_that_cannot_be_imported_names_itself(
    source: str, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"lvsc_test_broken_{error.lower()}"
    (tmp_path / f"{path}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint(name="broken", value=path, group=PLUGINS)
    with pytest.raises(PluginError, match=rf"plugin `{path}` cannot be used: {error}"):
        Plugins([entry], [])


def test_a_plugin_that_is_not_there_names_itself() -> None:
    entry = EntryPoint(name="gone", value="lvsc_test_gone:attribute", group=PLUGINS)
    with pytest.raises(PluginError, match="plugin `lvsc_test_gone:attribute` cannot be used"):
        Plugins([entry], [])


def test_two_plugins_of_one_name_are_both_named(plugin: Make) -> None:
    one = plugin("echo", lvsc_service_kind=echo_kind)
    other = plugin("echo", module="lvsc_test_echo_again", lvsc_service_kind=echo_kind)
    for pair in ([one, other], [other, one]):
        with pytest.raises(
            PluginError, match="two plugins have the name `echo`: `lvsc_test_echo` and `lvsc_test_echo_again`"
        ):
            Plugins(pair, [])


def test_one_plugin_that_is_installed_twice_is_one(plugin: Make) -> None:
    entry = plugin("echo", lvsc_service_kind=echo_kind)
    again = EntryPoint(name=entry.name, value=entry.value, group=entry.group)
    assert list(Plugins([entry, again], []).kinds) == ["echo", "plain"]


def test_two_backends_of_one_name_are_both_named(plugin: Make) -> None:
    one = plugin("fake", BACKENDS, lvsc_backend=fake_backend)
    other = plugin("fake", BACKENDS, module="lvsc_test_fake_again", lvsc_backend=fake_backend)
    with pytest.raises(
        PluginError, match="two plugins have the name `fake`: `lvsc_test_fake` and `lvsc_test_fake_again`"
    ):
        Plugins([], [one, other])


def test_two_kinds_of_one_name(plugin: Make) -> None:
    entry = plugin("again", lvsc_service_kind=plain_kind)
    with pytest.raises(
        PluginError, match="plugins `plain` and `again` both provide the service kind `plain`"
    ):
        Plugins([entry], [])


def test_a_plugin_cannot_take_the_plain_kinds_place(plugin: Make) -> None:
    with pytest.raises(PluginError, match="plugin `lvsc_test_plain` cannot be used"):
        Plugins([plugin("plain", lvsc_service_kind=echo_kind)], [])


def test_a_kind_that_fails_is_told_so(plugin: Make) -> None:
    with pytest.raises(PluginError, match="no luck"):
        Plugins([plugin("broken", lvsc_service_kind=broken)], [])


def test_a_kind_that_asks_for_a_backend_that_is_not_there(plugin: Make) -> None:
    class Needy(Echo):
        backends = ("fake",)

    @hookimpl
    def needy() -> ServiceKind:
        return Needy()

    entry = plugin("needy", lvsc_service_kind=needy)
    with pytest.raises(PluginError, match="service kind `echo` asks for the backend `fake`"):
        Plugins([entry], [])
    backend = plugin("fake", BACKENDS, lvsc_backend=fake_backend)
    assert "echo" in Plugins([entry], [backend]).kinds


def test_a_backend_is_imported_when_it_is_used(plugin: Make) -> None:
    absent = EntryPoint(name="absent", value="lvsc_test_absent", group=BACKENDS)
    plugins = Plugins([], [plugin("fake", BACKENDS, lvsc_backend=fake_backend), absent])
    assert plugins.backend_names == ("absent", "fake")
    assert plugins.backend("fake").title == "a fake"
    assert plugins.backend("fake") is plugins.backend("fake")
    with pytest.raises(PluginError, match="plugin `lvsc_test_absent` cannot be used"):
        plugins.backend("absent")
    with pytest.raises(KeyError):
        plugins.backend("unknown")


def test_a_backend_of_another_name_names_its_plugin(plugin: Make) -> None:
    plugins = Plugins([], [plugin("fake", BACKENDS, lvsc_backend=other_backend)])
    with pytest.raises(PluginError, match="plugin `lvsc_test_fake` does not provide the backend `fake`"):
        plugins.backend("fake")


def test_a_backend_plugin_without_a_backend_names_itself(plugin: Make) -> None:
    plugins = Plugins([], [plugin("fake", BACKENDS, lvsc_codes=codes)])
    with pytest.raises(PluginError, match="plugin `lvsc_test_fake` does not provide the backend `fake`"):
        plugins.backend("fake")


def test_codes_of_plugins_and_of_backends(plugin: Make) -> None:
    plugins = Plugins(
        [plugin("echo", lvsc_codes=codes)],
        [plugin("fake", BACKENDS, lvsc_backend=fake_backend, lvsc_codes=codes)],
    )
    assert plugins.codes() == (CODE,)


@pytest.mark.parametrize("name", ["LVS101", "LVS999", "fak001", "FAK1", "FAK 001", "TOOMANYLETTERS01"])
def test_a_code_that_is_lvscs_or_none_names_its_plugin(name: str, plugin: Make) -> None:
    @hookimpl
    def others() -> tuple[Code, ...]:
        return (Code(name, "another", "Something is wrong."),)

    said = rf"plugin `lvsc_test_echo` has the code `{name}`: "
    with pytest.raises(PluginError, match=said):
        Plugins([plugin("echo", lvsc_codes=others)], [])
    backend = plugin("echo", BACKENDS, lvsc_backend=fake_backend, lvsc_codes=others)
    with pytest.raises(PluginError, match=said):
        Plugins([], [backend]).backend("echo")


def test_two_plugins_with_one_code_are_both_named(plugin: Make) -> None:
    @hookimpl
    def others() -> tuple[Code, ...]:
        return (Code(CODE.id, "another", "Something is wrong."),)

    plugins = Plugins(
        [plugin("echo", lvsc_codes=codes)],
        [plugin("fake", BACKENDS, lvsc_backend=fake_backend, lvsc_codes=others)],
    )
    for ask in (lambda: plugins.backend("fake"), plugins.codes):
        with pytest.raises(
            PluginError, match="plugins `lvsc_test_echo` and `lvsc_test_fake` both have the code `FAK001`"
        ):
            ask()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda: ("FAK001",), "provides 'FAK001' where a code should be"),
        (lambda: 1 / 0, "fails to provide its codes: ZeroDivisionError"),
    ],
    ids=["no codes", "raises"],
)
def test_codes_that_cannot_be_had_name_their_plugin(
    given: Callable[[], object], said: str, plugin: Make
) -> None:
    with pytest.raises(PluginError, match=f"plugin `lvsc_test_echo` {said}"):
        Plugins([plugin("echo", lvsc_codes=hookimpl(given))], [])


def test_lints_of_all_plugins_are_asked_in_one_order(plugin: Make) -> None:
    def entries() -> list[EntryPoint]:
        found = []
        for name in ("b", "a", "c"):

            @hookimpl
            def lint(lowered: object, name: str = name) -> tuple[object, ...]:  # noqa: ARG001 - it looks at nothing
                return (CODE.at(None, name),)

            found.append(plugin(name, module=f"lvsc_test_{name}", lvsc_lint=lint))
        return found

    some = entries()
    cluster = lowered(spec())
    orders = [[d.message for d in Plugins(order, []).lint(cluster)] for order in (some, some[::-1])]
    assert orders[0] == orders[1]
    assert sorted(orders[0]) == ["a", "b", "c"]


def test_the_installed_plugins() -> None:
    plugins = Plugins.installed()
    assert list(plugins.kinds) == ["ftp", "plain"]
    assert set(plugins.backend_names) >= {"host", "iptables", "ipvsadm", "keepalived", "nftables", "vsftpd"}
    ids = [code.id for code in plugins.codes()]
    assert len(ids) == len(set(ids))
