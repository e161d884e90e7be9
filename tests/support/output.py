"""Compiled specs of a few files for the tests of the output, and trees as values that can be compared."""

import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from lvsc.compile import Compiled, EmittedFile, HostStep
from lvsc.diagnostics import Origin
from lvsc.lowering.lowered import Lowered
from lvsc.output.secrets import Resolution
from lvsc.output.write import WriteReport, write
from lvsc.plugins.artifact import Artifact, Line, LoadStep
from lvsc.secrets import Secret, SecretRef, SecretSource
from lvsc.targets import load

CLUSTER = "demo"
ORIGIN = Origin("cluster.toml", ("failover",))
PASSWORD = SecretRef(SecretSource.ENVIRONMENT, "VRRP_PASSWORD", 8)
VALUE = "s3cr3t"

#: By path below the output directory: permissions and, of a file, content.
Snapshot = Mapping[str, tuple[int, bytes | None]]


def compiled(files: Mapping[str, str], steps: tuple[HostStep, ...] = (), mode: int = 0o644) -> Compiled:
    """A compiled spec that emits these texts, each under its host's name and its path: "a/etc/x"."""
    emitted = [_file(source, text, mode) for source, text in files.items()]
    hosts = {file.host for file in emitted} | {step.host for step in steps}
    return Compiled(
        lowered=cast(Lowered, SimpleNamespace(cluster=SimpleNamespace(name=CLUSTER))),
        targets=dict.fromkeys(hosts, load("debian12")),
        parts={},
        files=tuple(sorted(emitted, key=lambda file: (file.host, file.artifact.path))),
        steps=steps,
        diagnostics=(),
    )


def placed(spec: Compiled, host: str, path: str) -> Compiled:
    """The spec with its first file moved."""
    first, *rest = spec.files
    return replace(
        spec, files=(replace(first, host=host, artifact=replace(first.artifact, path=path)), *rest)
    )


def step(host: str, step: LoadStep, backend: str = "demo") -> HostStep:
    """A step of a host."""
    return HostStep(host=host, backend=backend, step=step)


def build(spec: Compiled, directory: Path) -> WriteReport:
    """Write, with every secret known."""
    return write(spec, directory, resolve)


def resolve(ref: SecretRef, origin: Origin | None) -> Resolution:
    """Every secret has the same value."""
    assert ref == PASSWORD
    assert origin == ORIGIN
    return Resolution(Secret(VALUE))


def snapshot(directory: Path) -> Snapshot:
    """Everything below a directory."""
    return {
        str(path.relative_to(directory)): (
            stat.S_IMODE(path.lstat().st_mode),
            path.read_bytes() if path.is_file() else None,
        )
        for path in directory.rglob("*")
    }


def _file(source: str, text: str, mode: int) -> EmittedFile:
    host, slash, path = source.partition("/")
    lines = tuple(Line(line, ORIGIN) for line in text.splitlines())
    secrets = (PASSWORD,) if PASSWORD.placeholder in text else ()
    return EmittedFile(
        host=host,
        backend="demo",
        artifact=Artifact(path=slash + path, lines=lines, mode=mode, secrets=secrets),
    )
