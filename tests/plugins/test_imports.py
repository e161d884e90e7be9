"""Who imports whom: the core's packages one way, plugins the public API alone."""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "compiler" / "lvsc"
BACKENDS = sorted(path for path in (ROOT / "backends").iterdir() if path.is_dir())
THIRD_PARTIES = sorted(
    path for path in (ROOT / "tests" / "thirdparty" / "packages").iterdir() if path.is_dir()
)
PUBLIC = "lvsc.plugin"
AGENT = CORE / "laboratory" / "agent"

#: Each may import what stands above it, and itself. The longest name that begins a module's name is its place.
ORDER = (
    "lvsc",
    "lvsc.diagnostics",
    "lvsc.blame",
    "lvsc.secrets",
    "lvsc.graph",
    "lvsc.packets",
    "lvsc.targets",
    "lvsc.spec",
    "lvsc.lowering.plan",
    "lvsc.lowering.lowered",
    "lvsc.plugins",
    "lvsc.lowering",
    "lvsc.kinds",
    "lvsc.plugins.manager",
    "lvsc.analysis",
    "lvsc.compile",
    "lvsc.compare",
    "lvsc.trace",
    "lvsc.verify",
    "lvsc.output",
    "lvsc.checkers",
    "lvsc.laboratory",
    "lvsc.rehearsal",
    "lvsc.report",
    "lvsc.commands",
    "lvsc.cli",
    "lvsc.__main__",
    "lvsc.plugin",
)


def imported(source: Path) -> Iterator[str]:
    """The full name of everything that a module imports when it runs, inside functions too."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    for node in _running(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if source.parent == AGENT:  # runs as a copy, so it knows only itself and the standard library
                assert node.level == 1 or str(node.module).partition(".")[0] in sys.stdlib_module_names, (
                    source
                )
                continue
            assert node.level == 0, f"{source}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes within, without what is only for type checkers."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield child
            yield from _running(child)


def modules(package: Path) -> list[Path]:
    return sorted(package.rglob("*.py"))


def name_of(module: Path, root: Path) -> str:
    parts = module.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def place(name: str) -> int:
    """The place in the order; what is only in `lvsc` itself must be named there."""
    fitting = [package for package in ORDER if within(name, package)]
    longest = max(fitting, key=len)
    assert longest != "lvsc" or name.count(".") == 0 or name == "lvsc.__version__", f"{name} has no place"
    return ORDER.index(longest)


@pytest.mark.parametrize("module", modules(CORE), ids=lambda path: name_of(path, CORE.parent))
def test_the_core_imports_one_way_and_no_plugin(module: Path) -> None:
    own = name_of(module, CORE.parent)
    for name in imported(module):
        assert not any(within(name, backend.name) for backend in BACKENDS), f"{own} imports {name}"
        if within(name, "lvsc"):
            assert place(name) <= place(own), f"{own} imports {name}, which is above it"


@pytest.mark.parametrize("package", [*BACKENDS, *THIRD_PARTIES], ids=lambda path: str(path.name))
def test_a_plugin_imports_the_public_api_and_itself_alone(package: Path) -> None:
    others = {path.name for path in (*BACKENDS, *THIRD_PARTIES)} - {package.name}
    for module in modules(package):
        for name in imported(module):
            assert not within(name, "lvsc") or within(name, PUBLIC), f"{module} imports {name}"
            assert name.partition(".")[0] not in others, f"{module} imports {name}"


def test_the_rule_finds_what_breaks_it(tmp_path: Path) -> None:
    module = tmp_path / "m.py"
    module.write_text("def f():\n    from lvsc.graph import nodes\n    import lvsc_host.check\n")
    assert list(imported(module)) == ["lvsc.graph.nodes", "lvsc_host.check"]
    assert place("lvsc.report.text") > place("lvsc.analysis.lints") > place("lvsc.graph.nodes")
    with pytest.raises(AssertionError, match="has no place"):
        place("lvsc.somewhere.else")


def test_the_architecture_page_gives_the_same_order() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = re.search(r"may import what stands before it:\n\n((?:.+\n)+)", page)
    assert listed
    assert tuple(re.findall(r"`([\w.]+)`", listed[1])) == tuple(_written(ORDER))


def _written(order: Iterable[str]) -> Iterator[str]:
    """The order without the public API, which is for plugins, and without what has nothing to import."""
    return (name.removeprefix("lvsc.") for name in order if name not in ("lvsc", "lvsc.__main__", PUBLIC))
