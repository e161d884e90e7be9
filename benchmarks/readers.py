"""Times the readers of each language: `python benchmarks/readers.py large.toml`.

What is read is what one director of the spec gets; ipvsadm probes nothing and moves no addresses, so for it the spec is taken
without checks and failover. nft's JSON is what nft prints of the loaded rules, where root may load them into a network
namespace. Seconds of processor time, without the cyclic garbage collector, as in the program.
"""

import argparse
import gc
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from lvsc.compile import Compiled, Options, compile_spec
from lvsc.plugins.backend import Backend, HostPart
from lvsc.plugins.manager import Plugins
from lvsc.plugins.reading import Source

_PLAIN = (
    (r"^check = .*$", 'check = "none"'),
    (r"^virtual_router_id = .*$", 'method = "external"'),
    (r"^gateway = .*$", ""),
    (r"(?s)^\[addresses\.inside\].*?(?=^\[)", ""),
)


def measure(language: str, backend: Backend, source: Source) -> None:
    """Read a text and print what it took; nothing of one that says nothing."""
    started = time.process_time()
    reading = backend.read(source)
    seconds = time.process_time() - started
    if reading.problems or reading.foreign:
        raise SystemExit(f"{language}: what was emitted is not read back")
    if not reading.nodes:
        return
    print(
        f"{language:16}{len(source.text) / 1e6:8.1f} MB{len(reading.nodes):10} nodes{seconds:8.2f} s",
        flush=True,
    )


def sources(backend: Backend, part: HostPart) -> Iterator[Source]:
    """What a backend writes for a host and reads itself."""
    for artifact in backend.emit(part).artifacts:
        source = Source(host=part.host, file=artifact.path, text=artifact.text)
        if backend.recognises(source):
            yield source


def part_of(compiled: Compiled, name: str) -> tuple[Backend, HostPart]:
    """A chosen backend, and its part for the first director."""
    director = compiled.cluster.directors[0].name
    backend = next(backend for backend in compiled.parts if backend.name == name)
    return backend, next(part for part in compiled.parts[backend] if part.host == director)


def listed(source: Source) -> Source:
    """What nft prints in JSON once the text is loaded."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "rules.nft"
        path.write_text(source.text, encoding="utf-8")
        words = ["unshare", "-n", "sh", "-euc", f"nft -f {path}; nft -j list ruleset"]
        text = subprocess.run(words, check=True, capture_output=True, text=True).stdout  # noqa: S603 - a fixed command
    return Source(host=source.host, file="nft -j list ruleset", text=text)


def main() -> None:
    """Time every reader."""
    parser = argparse.ArgumentParser(description="Time the readers of each language.")
    parser.add_argument("spec", type=Path, metavar="SPEC")
    text = parser.parse_args().spec.read_text(encoding="utf-8")
    gc.disable()
    plugins = Plugins.installed()
    compiled = compile_spec(text, "large.toml", plugins, Options(backends=("nftables", "keepalived")))
    nftables, part = part_of(compiled, "nftables")
    for name in ("iptables", "nftables"):
        for source in sources(plugins.backend(name), part):
            measure(name, plugins.backend(name), source)
    if os.geteuid() == 0 and shutil.which("nft") and shutil.which("unshare"):
        for source in sources(nftables, part):
            measure("nftables JSON", nftables, listed(source))
    keepalived, part = part_of(compiled, "keepalived")
    for source in sources(keepalived, part):
        measure("keepalived", keepalived, source)
    for pattern, plain in _PLAIN:
        text = re.sub(pattern, plain, text, flags=re.MULTILINE)
    compiled = compile_spec(text, "plain.toml", plugins, Options(backends=("nftables", "ipvsadm")))
    ipvsadm, part = part_of(compiled, "ipvsadm")
    for source in sources(ipvsadm, part):
        measure("ipvsadm", ipvsadm, source)


if __name__ == "__main__":
    main()
