"""The manifest: what it says, and that it is the same every time."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from lvsc import __version__
from lvsc.compile import compile_spec
from lvsc.output.files import OutputFile, output_files
from lvsc.output.manifest import manifest, sources
from lvsc.plugins.artifact import LoadStep, Stage
from lvsc.plugins.manager import Plugins
from support.output import PASSWORD, compiled, step

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = sorted((REPOSITORY / "examples").glob("*.toml"))
SCHEMA = json.loads((REPOSITORY / "schemas/lvsc_schemas/manifest.schema.json").read_text(encoding="utf-8"))

FILTER = LoadStep(
    stage=Stage.PACKET_FILTER,
    unit="filter.service",
    load=(("/sbin/load", "-f"),),
    unload=(("/sbin/unload",),),
    enable=(("/sbin/enable", "filter"),),
    disable=(("/sbin/disable", "filter"),),
)
MODULES = LoadStep(stage=Stage.MODULES, unit=None, load=(("/sbin/modprobe", "ip_vs"),))
ADDRESSES = LoadStep(stage=Stage.ADDRESSES, unit="addresses.service", load=(("/bin/sh", "x"),))
SPEC = compiled(
    {"a/etc/y": "ä\n", "a/etc/x": f"{PASSWORD.placeholder}\n", "b/etc/x": "x\n"},
    steps=(step("a", MODULES, "other"), step("a", FILTER)),
)


def validate(document: Any) -> None:  # noqa: ANN401 - JSON
    Draft202012Validator(SCHEMA).validate(document)


def unit_of(file: OutputFile, stage: Stage | None, *steps: LoadStep) -> str | None:
    spec = compiled({file.source: file.text}, steps=tuple(step(file.host, each) for each in steps))
    object.__setattr__(spec.files[0].artifact, "stage", stage)
    return output_files(spec)[0].unit


def test_it_says_what_each_host_has_and_how_it_is_loaded() -> None:
    assert json.loads(manifest(SPEC)) == {
        "format_version": 1,
        "lvsc": __version__,
        "cluster": "demo",
        "hosts": {
            "a": {
                "target": "debian12",
                "files": [
                    {
                        "path": "/etc/x",
                        "source": "a/etc/x",
                        "sha256": hashlib.sha256(f"{PASSWORD.placeholder}\n".encode()).hexdigest(),
                        "mode": "0600",
                        "owner": "root",
                        "group": "root",
                        "secret": True,
                        "backend": "demo",
                        "unit": "filter.service",
                    },
                    {
                        "path": "/etc/y",
                        "source": "a/etc/y",
                        "sha256": hashlib.sha256("ä\n".encode()).hexdigest(),
                        "mode": "0644",
                        "owner": "root",
                        "group": "root",
                        "secret": False,
                        "backend": "demo",
                        "unit": "filter.service",
                    },
                ],
                "load": [
                    {
                        "stage": "modules",
                        "backend": "other",
                        "unit": None,
                        "commands": [["/sbin/modprobe", "ip_vs"]],
                        "enable": [],
                        "unload": [],
                        "disable": [],
                    },
                    {
                        "stage": "packet-filter",
                        "backend": "demo",
                        "unit": "filter.service",
                        "commands": [["/sbin/load", "-f"]],
                        "enable": [["/sbin/enable", "filter"]],
                        "unload": [["/sbin/unload"]],
                        "disable": [["/sbin/disable", "filter"]],
                    },
                ],
            },
            "b": {
                "target": "debian12",
                "files": [
                    {
                        "path": "/etc/x",
                        "source": "b/etc/x",
                        "sha256": hashlib.sha256(b"x\n").hexdigest(),
                        "mode": "0644",
                        "owner": "root",
                        "group": "root",
                        "secret": False,
                        "backend": "demo",
                        "unit": None,
                    },
                ],
                "load": [],
            },
        },
    }


def test_it_is_sorted_indented_ascii_with_a_newline_at_the_end() -> None:
    text = manifest(SPEC)
    assert text == json.dumps(json.loads(text), sort_keys=True, indent=2, ensure_ascii=True) + "\n"
    assert text.isascii()


@pytest.mark.parametrize(
    ("stage", "steps", "unit"),
    [
        pytest.param(None, (), None, id="nothing to load"),
        pytest.param(None, (FILTER,), "filter.service", id="the only step"),
        pytest.param(None, (MODULES,), None, id="a step without a unit"),
        pytest.param(Stage.ADDRESSES, (FILTER, ADDRESSES), "addresses.service", id="the step of its stage"),
        pytest.param(Stage.PACKET_FILTER, (FILTER, ADDRESSES), "filter.service", id="the other step"),
        pytest.param(Stage.SYSCTL, (FILTER, ADDRESSES), None, id="no step of its stage"),
        pytest.param(None, (FILTER, ADDRESSES), None, id="several steps and no stage"),
    ],
)
def test_a_files_unit_is_that_of_its_step(
    stage: Stage | None, steps: tuple[LoadStep, ...], unit: str | None
) -> None:
    (file,) = output_files(compiled({"a/x": "x\n"}))
    assert unit_of(file, stage, *steps) == unit


def test_a_unit_is_of_the_same_host_and_backend() -> None:
    spec = compiled({"a/x": "x\n"}, steps=(step("b", FILTER), step("a", FILTER, "other")))
    assert output_files(spec)[0].unit is None


def test_the_files_that_it_names_are_read_back() -> None:
    assert sources(manifest(SPEC).encode(), "m", "demo") == {"a/etc/x", "a/etc/y", "b/etc/x"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_examples_manifest_is_valid_and_always_the_same(example: Path) -> None:
    text = example.read_text(encoding="utf-8")
    spec = compile_spec(text, example.name, Plugins.installed())
    first = manifest(spec)
    validate(json.loads(first))
    assert manifest(compile_spec(text, example.name, Plugins.installed())) == first
    assert sources(first.encode(), "m", spec.cluster.name) == {
        file.host + file.artifact.path for file in spec.files
    }
    for host in json.loads(first)["hosts"].values():
        order = [Stage(each["stage"]).position for each in host["load"]]
        assert order == sorted(order)


def test_there_are_examples() -> None:
    assert EXAMPLES


def test_the_schema_knows_every_stage() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$defs"]["step"]["properties"]["stage"]["enum"] == [stage.value for stage in Stage]


def objects(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    """Every object within."""
    inner = list(value.values() if isinstance(value, dict) else value if isinstance(value, list) else [])
    return [value] * isinstance(value, dict) + [each for item in inner for each in objects(item)]


def test_the_schema_is_closed_and_nothing_in_it_is_optional() -> None:
    document = json.loads(manifest(SPEC))
    validate(document)
    found = 0
    for each in objects(document):
        if each is document["hosts"]:
            continue
        each["surprise"] = 1
        with pytest.raises(ValidationError):
            validate(document)
        del each["surprise"]
        for key in list(each):
            found += 1
            value = each.pop(key)
            with pytest.raises(ValidationError):
                validate(document)
            each[key] = value
    assert found > 30
