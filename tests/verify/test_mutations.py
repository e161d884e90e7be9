"""How much of what a file can say wrongly is found: every example's files, changed in one place at a time."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from lvsc.compile import Compiled, EmittedFile, Options
from lvsc.diagnostics import DiagnosticError
from lvsc.plugins.reading import Source
from lvsc.verify.readback import read_back
from support.emitted_mutations import Mutation, in_place_of, mutants, silent
from support.pages import ROOT
from support.specs import compile_text, plugins
from support.tell import Tell

EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))
#: Of each file; every change of every file takes ten times as long, and has been seen to find no more.
SAMPLE = 30
SEED = 20

#: What changes a file and nothing that a packet or a service gets, and why.
EQUIVALENT = (
    (
        r"`(weight 1|retry 1|delay_before_retry 1|state BACKUP|advert_int 1|priority 100)` is left out",
        "default",
    ),
    (
        r"`(lvs_sched wlc|lvs_method NAT|status_code 200-299)` is left out",
        "default",
    ),
    (r"`protocol UDP` is left out", "default (keepalived, check_data.c)"),
    (r"`connect_port (\d+)` is left out of `\w+` of `real_server \S+ \1`", "default: the real server's port"),
    (r"`version 3` is left out of `vrrp_instance \S+-ipv6`", "VRRP for IPv6 has no other version"),
    (r"`version 2` is left out of `vrrp_instance \S+-ipv4`", "default"),
    (r"router_id", "a name for people"),
    (r" in `vrrp_sync_group \S+ \{`", "a name for people"),
    (r"`0` becomes `1` in `:LVSC-", "a counter"),
    (
        r" in `chain (prerouting|postrouting|notrack_prerouting|output|input|forward|notrack_output) \{`",
        "a base chain's name",
    ),
    (
        r"`\d+` becomes `\d+` in `type \w+ hook \w+ priority ",
        "another number between the same two steps of the kernel",
    ),
    (r"`l3proto ip6?` is left out", "in an inet table a helper is of both families"),
    (r"`ipvsadm=\S+`", "a program's path, without which the script fails"),
)


def readable(compiled: Compiled) -> Iterator[EmittedFile]:
    """The files that a backend reads."""
    for file in compiled.files:
        source = Source(host=file.host, file=file.host + file.artifact.path, text=file.artifact.text)
        if plugins().backend(file.backend).recognises(source):
            yield file


@pytest.fixture(scope="module")
def files() -> list[tuple[Compiled, EmittedFile]]:
    found = []
    for example in EXAMPLES:
        for backend in ("iptables", "nftables", "ipvsadm"):
            try:
                compiled = compile_text(example.read_text(encoding="utf-8"), Options(backends=(backend,)))
            except DiagnosticError:
                continue  # what an example cannot be built for is what `docs/support.md` lists
            found += [(compiled, file) for file in readable(compiled)]
    return found


def reported(compiled: Compiled, mutation: Mutation) -> bool:
    return bool(read_back(in_place_of(compiled, mutation.file)).diagnostics)


def test_every_change_of_what_is_said_is_found(files: list[tuple[Compiled, EmittedFile]], tell: Tell) -> None:
    found, missed, same = Counter[str](), Counter[str](), Counter[str]()
    surviving = []
    for compiled, file in files:
        for mutation in mutants(file, SEED, SAMPLE):
            if reported(compiled, mutation):
                found[file.backend] += 1
            elif any(re.search(pattern, mutation.said) for pattern, _ in EQUIVALENT):
                same[file.backend] += 1
            else:
                missed[file.backend] += 1
                surviving.append(str(mutation))
    for backend in sorted(found):
        wrong = found[backend] + missed[backend]
        said = f"{found[backend]} of {wrong} changes found, {same[backend]} others change nothing"
        tell(f"mutations of {backend}: {said}")
    assert not surviving
    assert {"iptables", "nftables"} <= found.keys()
    assert min(found.values()) > 100


def test_no_change_of_a_comment_or_of_an_order_without_meaning_is_reported(
    files: list[tuple[Compiled, EmittedFile]],
) -> None:
    judged = 0
    for compiled, file in files:
        if file.artifact.path.endswith(".sh"):
            continue  # its reader takes a script word for word, which proves more than it must
        for mutation in silent(file):
            assert not reported(compiled, mutation), mutation
            judged += 1
    assert judged > 200
