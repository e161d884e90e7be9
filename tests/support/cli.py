"""The command line, run within the test's own process."""

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

import lvsc_schemas
from lvsc.cli import main
from support.sarif_schema import judge_sarif

SCHEMAS = (
    "backends",
    "build",
    "cluster",
    "diagnostics",
    "diff",
    "explain",
    "init",
    "rehearse",
    "show",
    "targets",
    "trace",
    "verify",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The document on standard output, which is all that there is."""
        assert self.err == ""
        document: dict[str, Any] = json.loads(self.out)
        return document

    def fits(self, schema: str) -> dict[str, Any]:
        """The document, which must fit one of the schemas that lvsc ships."""
        judge(schema, self.json)
        return self.json


def judge(schema: str, document: object) -> None:
    """Raise jsonschema.ValidationError where the document does not fit a schema that lvsc ships."""
    resources = [Resource.from_contents(lvsc_schemas.load(name)) for name in SCHEMAS]
    registry: Registry[Any] = Registry().with_resources(
        (resource.id() or "", resource) for resource in resources
    )
    jsonschema.Draft202012Validator(lvsc_schemas.load(schema), registry=registry).validate(document)


@dataclass(frozen=True, slots=True)
class Project:
    """A directory with specs, in which lvsc runs."""

    root: Path
    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def write(self, name: str, text: str) -> str:
        """Write a file, and return its name."""
        (self.root / name).write_text(text, encoding="utf-8")
        return name

    def read(self, name: str) -> str:
        """The text of a file."""
        return (self.root / name).read_text(encoding="utf-8")

    def lvsc(self, *words: str, stdin: str = "") -> Outcome:
        """Run a command line in the directory; what it prints as SARIF must fit the published schema."""
        self.capture.readouterr()
        with self._standard_input(stdin):
            code = main(words)
        out, err = self.capture.readouterr()
        if out and "sarif" in words:
            judge_sarif(json.loads(out))
        return Outcome(code, out, err)

    @contextmanager
    def _standard_input(self, text: str) -> Iterator[None]:
        with self.patch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))
            patch.chdir(self.root)
            yield
