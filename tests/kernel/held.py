"""What the directors' kernels hold, held against what the spec says."""

from collections.abc import Iterator
from dataclasses import replace

from lvsc.compare.changes import Aspect
from lvsc.compare.difference import compare
from lvsc.compare.sides import of_compiled, of_texts
from lvsc.laboratory.kernels import nftables
from lvsc.plugins.backend import Role
from lvsc.plugins.reading import Source
from lvsc.report.diff_text import render
from support.specs import plugins

from .conftest import Trial


def differences(site: Trial, *, own_firewall: bool = False) -> str:
    """What `ipvsadm -Sn` and the packet filter's own dump say otherwise than the spec; empty where they say the same.

    `own_firewall` says that the directors have rules of the operator's, so that what gets through is not lvsc's to say.
    """
    running, unknown = of_texts(
        "running",
        list(_dumps(site)),
        plugins(),
        roles=frozenset({Role.PACKET_FILTER, Role.DIRECTOR}),
    )
    assert not unknown, [source.file for source in unknown]
    difference = compare(of_compiled("spec", site.compiled), running)
    if own_firewall:
        assert any(each.aspect is Aspect.FILTER for each in difference.unknown), "its rules are not seen"
        others = tuple(each for each in difference.unknown if each.aspect is not Aspect.FILTER)
        difference = replace(difference, unknown=others)
    return render(difference, {}, colour=False) if difference.differs else ""


def _dumps(site: Trial) -> Iterator[Source]:
    filters = {backend.name for backend in site.compiled.parts if backend.role is Role.PACKET_FILTER}
    for host in site.directors:
        commands = [["ipvsadm", "-Sn"], ["ipvsadm", "-Ln", "--thresholds"]]
        texts = {"ipvsadm": "".join(site.run(host, *command) for command in commands)}
        if "iptables" in filters:
            texts |= {program: site.run(host, program) for program in ("iptables-save", "ip6tables-save")}
        elif nftables(site.laboratory.kernel):
            texts["nft.json"] = site.run(host, "nft", "-j", "list", "ruleset")
        for file, text in texts.items():
            if text.strip():
                yield Source(host=host, file=f"{host}/{file}", text=text)
