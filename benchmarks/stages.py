"""Times each stage of a build: `python benchmarks/stages.py large.toml [--collect]`.

Seconds of processor time, and the peak of memory so far. Without `--collect` the cyclic garbage collector is off, as it is in
the program. Nothing is written.
"""

import argparse
import gc
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from lvsc import targets
from lvsc.analysis.choice import choose_backends
from lvsc.analysis.features import missing_features
from lvsc.analysis.lints import lint
from lvsc.analysis.partition import partition
from lvsc.lowering.lower import lower
from lvsc.plugins.manager import Plugins
from lvsc.spec.check import check
from lvsc.spec.load import load
from lvsc.spec.read import read
from lvsc.spec.schema import generate

T = TypeVar("T")


def timed(stage: str, run: Callable[[], T]) -> T:
    """Run a stage and print what it took."""
    started = time.process_time()
    result = run()
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{stage:24}{seconds:8.2f} s{peak:8} MiB", flush=True)
    return result


def stages(text: str, plugins: Plugins) -> None:
    """Time all stages, one after the other, as `lvsc.compile.compile_spec` has them."""
    document = timed("read", lambda: read(text, "large.toml"))
    mistakes = timed("check", lambda: check(document, generate(plugins.fragments)))
    cluster, found = timed("load", lambda: load(document.values, document.file, plugins.kinds))
    lowered = timed("lower", lambda: lower(cluster, plugins.kinds))
    warnings = timed("lint", lambda: [*lint(lowered), *plugins.lint(lowered)])
    for problem in (*mistakes, *found, *lowered.diagnostics, *warnings):
        print(f"{problem.code.id}: {problem.message}")
    host_targets = {host: targets.load(name) for host, name in lowered.targets.items()}
    target = targets.load(cluster.target)
    backends = choose_backends(lowered, target, plugins, ())
    parts, _ = timed(
        "partition", lambda: partition(lowered.graph, backends, host_targets, cluster.name, plugins)
    )
    timed("features", lambda: list(missing_features(parts, lowered.services, target)))
    for backend, own in parts.items():
        timed(f"check by {backend.name}", lambda: [list(backend.check(part)) for part in own])  # noqa: B023 - run at once
        timed(f"emit by {backend.name}", lambda: [backend.emit(part) for part in own])  # noqa: B023 - likewise


def main() -> None:
    """Time the stages for the spec that the command line names."""
    parser = argparse.ArgumentParser(description="Time each stage of a build.")
    parser.add_argument("spec", type=Path, metavar="SPEC")
    parser.add_argument("--collect", action="store_true", help="leave the cyclic garbage collector on")
    arguments = parser.parse_args()
    if not arguments.collect:
        gc.disable()
    stages(arguments.spec.read_text(), Plugins.installed())


if __name__ == "__main__":
    main()
