"""Plugins that are broken, or ask for what cannot be: each is an error that names it, and nothing is built."""

from collections.abc import Callable

import pytest

from support.cli import Outcome, Project
from support.site import Site
from support.specs import spec

BACKEND = """
from lvsc.plugin import Artifact, Backend, Emission, Line, Node, Role, Text, VirtualService, RealServer, HealthCheck, hookimpl

class Bad(Backend):
    name = "bad"
    title = "bad"
    role = Role.DIRECTOR

    def renders(self, node):
        return type(node) in (VirtualService, RealServer, HealthCheck)

    def check(self, part):
        return ()

    def emit(self, part):
        text = Text()
        text.add("fine")
        return Emission(artifacts=(text.artifact("/etc/bad.conf"),))

@hookimpl
def lvsc_backend():
    return Bad()
"""

KIND = """
from lvsc.plugin import Fragment, KernelModule, Plan, PortRange, Protocol, ServiceKind, ServicePort, hookimpl, words

class Odd(ServiceKind):
    name = "odd"
    title = "odd"

    def fragment(self):
        return Fragment(title="Odd", description="Odd.")

    def options(self, table):
        return None

    def plan(self, service, cluster):
        return Plan(ports=(ServicePort(Protocol.TCP, PortRange.one(80)),))

    def nodes(self, lowered, cluster):
        return ()

@hookimpl
def lvsc_service_kind():
    return Odd()
"""


def changed(text: str, *pairs: tuple[str, str]) -> str:
    for before, after in pairs:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


@pytest.fixture
def build(project: Project) -> Callable[..., Outcome]:
    """A build of a small cluster, of which nothing may be left behind."""

    def run(*words: str, code: int = 2, **tables: object) -> Outcome:
        project.write("shop.toml", spec(**tables))
        outcome = project.lvsc("build", "shop.toml", *words)
        assert (outcome.code, outcome.out) == (code, "")
        assert "Traceback" not in outcome.err
        assert "nothing was written" in outcome.err
        assert not (project.root / "build").exists()
        return outcome

    return run


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("def broken(:", "SyntaxError"),
        ("raise RuntimeError('not today')", "RuntimeError: not today"),
        (changed(KIND, ("lvsc_service_kind()", "lvsc_service_kin()")), "lvsc_service_kin"),
        (changed(KIND, ("lvsc_service_kind()", "lvsc_service_kind(cluster)")), "cluster"),
        (changed(KIND, ("@hookimpl", "")), "is `@hookimpl` missing"),
        (
            changed(KIND, ("return Odd()", "return 'odd'")),
            "plugin `odd` provides 'odd' where a service kind should be",
        ),
        (changed(KIND, ("return Odd()", "raise KeyError('x')")), "KeyError: 'x'"),
        (
            changed(KIND, ('name = "odd"', 'name = "plain"')),
            "plugins `plain` and `odd` both provide the service kind `plain`",
        ),
        (
            changed(KIND, ('title = "odd"', 'title = "odd"\n    backends = ("oddd",)')),
            "service kind `odd` asks for the backend `oddd`, which no plugin provides",
        ),
        (
            changed(
                KIND,
                (
                    'description="Odd."',
                    'description="", properties={"pool": words.boolean("", "", default=None)}',
                ),
            ),
            "service kind `odd` defines keys that every service has: pool",
        ),
        (
            changed(KIND, ('description="Odd."', 'description="", without=("pools",)')),
            "service kind `odd` leaves out keys that no service has: pools",
        ),
        (
            changed(KIND, ('description="Odd."', 'description="", required=("size",)')),
            "service kind `odd` requires keys that it does not define: size",
        ),
    ],
    ids=[
        "a module is missing",
        "a syntax error",
        "an exception on import",
        "a misspelt hook",
        "a hook with another argument",
        "no hook",
        "no service kind",
        "a hook that raises",
        "a name that another has",
        "a backend that is not installed",
        "a common key again",
        "leaves out what is not there",
        "requires what is not there",
    ],
)
def test_a_plugin_that_is_broken_is_named(
    text: str, says: str, site: Site, build: Callable[..., Outcome]
) -> None:
    site.module("odd_plugin", text)
    site.install("odd", ("lvsc.plugins", "odd", "odd_plugin"))
    outcome = build()
    assert outcome.err.startswith("error[LVS011]: ")
    assert says in outcome.err
    assert "odd" in outcome.err.splitlines()[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import no_such_module", "No module named 'no_such_module'"),
        (changed(BACKEND, ("def lvsc_backend()", "def lvsc_backends()")), "lvsc_backends"),
        (changed(BACKEND, ('name = "bad"', 'name = "other"')), "does not provide the backend `bad`"),
        (changed(BACKEND, ('title = "bad"', "")), "does not provide the backend `bad`"),
        (changed(BACKEND, ("role = Role.DIRECTOR", "")), "does not provide the backend `bad`"),
        (changed(BACKEND, ("    def renders", "    def render")), "abstract method"),
        (changed(BACKEND, ("return Bad()", "return None")), "does not provide the backend `bad`"),
        (KIND, "does not provide the backend `bad`"),
    ],
    ids=[
        "a module is missing",
        "a misspelt hook",
        "another name",
        "no title",
        "no role",
        "a misspelt method",
        "nothing provided",
        "a service kind instead",
    ],
)
def test_a_backend_that_is_broken_is_named_when_it_is_used(
    text: str, says: str, site: Site, build: Callable[..., Outcome], project: Project
) -> None:
    site.module("bad_plugin", text)
    site.install("bad", ("lvsc.backends", "bad", "bad_plugin"))
    outcome = build("--backend", "bad")
    assert outcome.err.startswith("error[LVS011]: plugin `bad_plugin` ")
    assert says in outcome.err
    # Who does not use it is not stopped by it.
    assert project.lvsc("check", "shop.toml").code == 0


def test_two_distributions_with_one_backends_name_are_both_named(
    site: Site, build: Callable[..., Outcome]
) -> None:
    site.install("one", ("lvsc.backends", "keepalived", "one_plugin"))
    outcome = build()
    assert "two plugins have the name `keepalived`: `lvsc_keepalived.plugin` and `one_plugin`" in outcome.err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            changed(BACKEND, ("/etc/bad.conf", "/etc/sysctl.d/90-lvsc.conf")),
            "error[LVS506]: backends `bad` and `host` both write `/etc/sysctl.d/90-lvsc.conf` of `lvs1`",
        ),
        (
            changed(BACKEND, ("/etc/bad.conf", "/etc/../../../tmp/bad")),
            "error[LVS507]: backend `bad` asks for a file at '/etc/../../../tmp/bad' of `lvs1`",
        ),
        (
            changed(BACKEND, ("/etc/bad.conf", "etc/bad.conf")),
            "error[LVS507]: backend `bad` asks for a file at",
        ),
        (
            changed(BACKEND, ("/etc/bad.conf", "/etc//bad.conf")),
            "error[LVS507]: backend `bad` asks for a file at",
        ),
        (
            changed(BACKEND, ('text.add("fine")', 'text.add("fine\\nflush")')),
            "error[LVS507]: backend `bad` fails over host `lvs1`: a line break inside a line: 'fine\\nflush'",
        ),
        (
            changed(
                BACKEND,
                ('(text.artifact("/etc/bad.conf"),)', '(Artifact(path="/etc/bad", lines=(Line("a\\rb"),)),)'),
            ),
            "a line break inside a line: 'a\\rb'",
        ),
        (
            changed(BACKEND, ("        text = Text()", "        return 1 / 0")),
            "error[LVS507]: backend `bad` fails over host `lvs1`: division by zero",
        ),
        (
            changed(
                BACKEND, ("        return ()\n\n    def emit", "        yield part.nothing\n\n    def emit")
            ),
            "error[LVS507]: backend `bad` fails over host `lvs1`: ",
        ),
        (
            changed(BACKEND, ("HealthCheck)", "HealthCheck) or type(node).__name__ == 'Sysctl'")),
            "error[LVS505]: backends `bad` and `host` would both say `Sysctl`",
        ),
        (
            changed(BACKEND, ("        return type(node) in", "        return node.nothing in")),
            "error[LVS507]: backend `bad` fails over host `lvs1`: ",
        ),
        (
            changed(
                BACKEND, ("    def check", "    def needs(self, node):\n        yield 1 / 0\n\n    def check")
            ),
            "error[LVS507]: backend `bad` fails over host `lvs1`: division by zero",
        ),
        (
            changed(BACKEND, ("        text = Text()", "        raise SystemExit(0)")),
            "error[LVS507]: backend `bad` fails over host `lvs1`: 0",
        ),
    ],
    ids=[
        "a file that another backend writes",
        "a path that leads out",
        "a path that is not absolute",
        "a path that is not in its shortest form",
        "a line of two lines",
        "a line of two lines past Text",
        "an exception in emit",
        "an exception in check",
        "a node that another backend renders",
        "an exception in renders",
        "an exception in needs",
        "leaves the program",
    ],
)
def test_a_backend_that_does_what_none_may_is_named(
    text: str, says: str, site: Site, build: Callable[..., Outcome], project: Project
) -> None:
    site.module("bad_plugin", text)
    site.install("bad", ("lvsc.backends", "bad", "bad_plugin"))
    assert says in build("--backend", "bad").err
    # What keeps lvsc from building is said by `check`, too.
    checked = project.lvsc("check", "shop.toml", "--backend", "bad")
    assert checked.code == 2
    assert says in checked.err


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("        return None\n", "        return table['size']\n", "not subscriptable"),
        ("        return Plan(", "        return 1 / 0\n        return Plan(", "division by zero"),
        ("        return Plan(", "        return None\n        return Plan(", "'NoneType'"),
        ("        return ()\n\n@", "        yield lowered.nothing\n\n@", "no attribute 'nothing'"),
        ("        return ()\n\n@", "        return 'x'\n\n@", "it gives 'x' where a node should be"),
        ("        return Plan(", "        raise SystemExit(0)\n        return Plan(", "0\n"),
    ],
    ids=[
        "an exception in options",
        "an exception in plan",
        "no plan",
        "an exception in nodes",
        "no nodes",
        "leaves the program",
    ],
)
def test_a_service_kind_that_fails_is_named_at_its_service(
    before: str, after: str, says: str, site: Site, build: Callable[..., Outcome]
) -> None:
    site.module("odd_plugin", changed(KIND, (before, after)))
    site.install("odd", ("lvsc.plugins", "odd", "odd_plugin"))
    outcome = build(services={"web": {"kind": "odd", "ports": None}})
    failure = outcome.err[outcome.err.index("error[LVS507]") :]
    assert failure.startswith("error[LVS507]: service kind `odd` fails over service `web`: ")
    assert says in failure
    assert "[services.web]" in failure


def test_a_service_kind_that_fails_over_what_the_schema_refuses_is_not_blamed(
    site: Site, build: Callable[..., Outcome]
) -> None:
    site.module("odd_plugin", changed(KIND, ("        return None\n", "        return 1 / 0\n")))
    site.install("odd", ("lvsc.plugins", "odd", "odd_plugin"))
    outcome = build(code=1, services={"web": {"kind": "odd", "ports": None, "pol": "web"}})
    assert "error[LVS101]" in outcome.err
    assert "LVS507" not in outcome.err


@pytest.mark.parametrize(
    ("body", "says"),
    [("return 1 / 0", "division by zero"), ("yield 'x'", "it gives 'x' where a diagnostic should be")],
    ids=["an exception", "no diagnostic"],
)
def test_a_lint_that_fails_is_named_beside_what_is_known(
    body: str, says: str, site: Site, build: Callable[..., Outcome]
) -> None:
    lint = f"from lvsc.plugin import hookimpl\n\n@hookimpl\ndef lvsc_lint(lowered):\n    {body}\n"
    site.module("odd_plugin", lint)
    site.install("odd", ("lvsc.plugins", "odd", "odd_plugin"))
    outcome = build(
        pools={"spare": {"check": "none", "real_servers": [{"name": "s1", "ip": ["10.11.12.9"]}]}}
    )
    assert f"error[LVS507]: plugin `odd` fails over cluster `shop`: {says}\n" in outcome.err
    assert "warning[LVS404]" in outcome.err


def test_where_a_backend_fails_is_said(site: Site, build: Callable[..., Outcome]) -> None:
    site.module("bad_plugin", changed(BACKEND, ("        text = Text()", "        return 1 / 0")))
    site.install("bad", ("lvsc.backends", "bad", "bad_plugin"))
    line = BACKEND[: BACKEND.index("        text = Text()")].count("\n") + 1
    assert f"ZeroDivisionError at {site.root}/bad_plugin.py:{line}" in build("--backend", "bad").err


def test_a_node_of_an_unknown_host_is_refused_at_its_service(
    site: Site, build: Callable[..., Outcome]
) -> None:
    node = 'KernelModule(host="elsewhere", origin=lowered.service.origin, name="odd"),'
    site.module("odd_plugin", changed(KIND, ("        return ()", f"        return ({node})")))
    site.install("odd", ("lvsc.plugins", "odd", "odd_plugin"))
    outcome = build(services={"web": {"kind": "odd", "ports": None}})
    said = "`KernelModule` is asked for on `elsewhere`, which is no host that lvsc manages"
    assert f"error[LVS508]: {said}\n" in outcome.err
    assert "[services.web]" in outcome.err
