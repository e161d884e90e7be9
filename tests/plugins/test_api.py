"""The public API: what `lvsc.plugin` exports, and that all of it says what it is."""

import ast
import enum
import inspect
import itertools
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any, get_args

import pytest

import lvsc.plugin

ROOT = Path(__file__).parents[2]
NAMES = lvsc.plugin.__all__
CLASSES = [name for name in NAMES if inspect.isclass(getattr(lvsc.plugin, name))]
SOURCE = (ROOT / "compiler" / "lvsc" / "plugin.py").read_text(encoding="utf-8")


def test_all_is_exactly_what_is_imported() -> None:
    imports = [node for node in ast.parse(SOURCE).body if isinstance(node, ast.ImportFrom)]
    imported = [alias.asname or alias.name for node in imports for alias in node.names]
    assert sorted(imported) == NAMES
    public = {name for name, value in vars(lvsc.plugin).items() if not name.startswith("_")}
    assert public == set(NAMES)


def test_the_list_is_sorted_and_has_no_name_twice() -> None:
    assert sorted(set(NAMES)) == NAMES


def comments() -> dict[str, str]:
    """The `#:` comment or docstring that stands at a module-level assignment, by name."""
    found: dict[str, str] = {}
    for module in (ROOT / "compiler" / "lvsc").rglob("*.py"):
        lines = module.read_text(encoding="utf-8").splitlines()
        for before, line in itertools.pairwise(lines):
            if before.startswith("#: "):
                found[line.partition(" ")[0].partition(":")[0]] = before
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_name_says_what_it_is(name: str) -> None:
    value = getattr(lvsc.plugin, name)
    if isinstance(value, ModuleType) or inspect.isclass(value) or inspect.isfunction(value):
        said = value.__dict__.get("__doc__") if inspect.isclass(value) else value.__doc__
        assert said
        assert not said.startswith(f"{name}("), "dataclass made it up"
    elif isinstance(value, UnionType):
        # An alias of documented classes, or of the standard library's.
        assert len(get_args(value)) > 1
    else:
        assert name in comments(), f"no `#:` comment above {name}"


@pytest.mark.parametrize("name", CLASSES)
def test_every_method_and_property_of_a_class_says_what_it_does(name: str) -> None:
    cls = getattr(lvsc.plugin, name)
    for attribute, value in vars(cls).items():
        if attribute.startswith("_") or isinstance(value, enum.Enum):
            continue
        function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        if inspect.isfunction(function):
            assert inspect.getdoc(getattr(cls, attribute)), f"{name}.{attribute}"


def members(cls: type[Any]) -> dict[str, bool]:
    """The members that a class's body defines, and whether a docstring follows each."""
    tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(cls)))
    body = next(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)).body
    found: dict[str, bool] = {}
    for node, after in zip(body, [*body[1:], None], strict=True):
        says = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = says
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = says
    return {member: says for member, says in found.items() if not member.startswith("_")}


@pytest.mark.parametrize("name", [name for name in CLASSES if is_dataclass(getattr(lvsc.plugin, name))])
def test_a_field_that_may_be_none_says_what_none_means(name: str) -> None:
    cls = getattr(lvsc.plugin, name)
    said = members(cls)
    text = inspect.getdoc(cls) or ""
    for field in fields(cls):
        if field.name in said and "None" in str(field.type) and "None" not in text:
            assert said[field.name], f"{name}.{field.name}"
