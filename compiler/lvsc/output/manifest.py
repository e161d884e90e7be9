"""The manifest: which files a build wrote, and how each host loads and unloads them."""

import hashlib
import json
from typing import Any

from lvsc import __version__
from lvsc.compile import Compiled, HostStep
from lvsc.diagnostics import DiagnosticError
from lvsc.output import codes
from lvsc.output.files import OutputFile, is_source, output_files

#: Raised by one whenever a program that reads manifests would have to change.
FORMAT_VERSION = 1


def manifest(compiled: Compiled, files: tuple[OutputFile, ...] | None = None) -> str:
    """The manifest's text: JSON in ASCII, the same for the same spec and version of lvsc.

    `files` are those of `output_files`, for a caller that has them already. A host's `load` is in loading order; it is
    unloaded in the reverse.

    Raises:
        DiagnosticError: a path is impossible.
    """
    hosts: dict[str, dict[str, Any]] = {}

    def host(name: str) -> dict[str, Any]:
        return hosts.setdefault(name, {"target": compiled.targets[name].name, "files": [], "load": []})

    for file in output_files(compiled) if files is None else files:
        host(file.host)["files"].append(_file(file))
    for step in compiled.steps:
        host(step.host)["load"].append(_step(step))
    document = {
        "format_version": FORMAT_VERSION,
        "lvsc": __version__,
        "cluster": compiled.cluster.name,
        "hosts": hosts,
    }
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def sources(data: bytes, name: str, cluster: str) -> frozenset[str]:
    """The files that a manifest names, relative to the cluster's directory. `name` is the manifest's own, for messages.

    Raises:
        DiagnosticError: the data is no manifest of this cluster, or names a file outside of the cluster's directory.
    """
    try:
        document = json.loads(data)
        if document["format_version"] != FORMAT_VERSION:
            raise _broken(
                name, f"has format version {json.dumps(document['format_version'])}, not {FORMAT_VERSION}"
            )
        if document["cluster"] != cluster:
            raise _broken(name, "is of another cluster")
        found = frozenset(
            _checked(name, host, file["path"], file["source"])
            for host, entry in document["hosts"].items()
            for file in entry["files"]
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise _broken(name, "is not a manifest of lvsc") from None
    return found


def secret_sources(data: bytes) -> frozenset[str]:
    """Of the files that `sources` finds in the same manifest, those that hold a secret, or of which it does not say."""
    return frozenset(
        file["source"]
        for entry in json.loads(data)["hosts"].values()
        for file in entry["files"]
        if file.get("secret") is not False
    )


def _checked(name: str, host: str, path: str, source: str) -> str:
    if not is_source(host, path) or source != host + path:
        raise _broken(name, f"names {source!r}, which is no file that lvsc writes")
    return source


def _broken(name: str, what: str) -> DiagnosticError:
    problem = codes.BROKEN_RECORD.at(
        None,
        f"the manifest `{name}` {what}",
        help="restore it, or remove the directory that it stands in, and build again",
    )
    return DiagnosticError([problem])


def _file(file: OutputFile) -> dict[str, Any]:
    return {
        "path": file.path,
        "source": file.source,
        # Of the text with placeholders: a hash of a short password would give it away.
        "sha256": hashlib.sha256(file.text.encode()).hexdigest(),
        "mode": f"{file.mode:04o}",
        "owner": "root",
        "group": "root",
        "secret": bool(file.secrets),
        "backend": file.backend,
        "unit": file.unit,
    }


def _step(step: HostStep) -> dict[str, Any]:
    return {
        "stage": step.step.stage.value,
        "backend": step.backend,
        "unit": step.step.unit,
        "commands": step.step.load,
        "enable": step.step.enable,
        "unload": step.step.unload,
        "disable": step.step.disable,
    }
