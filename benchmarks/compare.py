"""Times a comparison of two specs: `python benchmarks/compare.py old.toml new.toml`.

Seconds of processor time, and the peak of memory so far. `benchmarks/large_spec.py` writes large specs.
"""

import gc
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from lvsc.compare.difference import compare
from lvsc.compare.sides import Side, of_compiled
from lvsc.compile import compile_spec
from lvsc.plugins.manager import Plugins
from lvsc.report.diff_text import render

T = TypeVar("T")


def timed(step: str, run: Callable[[], T]) -> T:
    """Run a step and print what it took."""
    started = time.process_time()
    result = run()
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{step:24}{seconds:8.2f} s{peak:8} MiB", flush=True)
    return result


def main() -> int:
    """Time every step."""
    gc.disable()
    plugins = Plugins.installed()
    texts = {name: Path(name).read_text(encoding="utf-8") for name in sys.argv[1:3]}

    def side(name: str) -> Side:
        compiled = timed(f"compile {Path(name).name}", lambda: compile_spec(texts[name], name, plugins))
        return timed("read its files back", lambda: of_compiled(name, compiled))

    old, new = map(side, texts)
    difference = timed("compare", lambda: compare(old, new))
    text = timed("report", lambda: render(difference, texts, colour=False))
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
