"""Every example that this machine's programs can run keeps all its promises on a real kernel."""

from pathlib import Path

import pytest

from lvsc.compile import Options
from lvsc.laboratory.kernels import Kernel, why_not
from lvsc.output.write import write
from lvsc.rehearsal.rehearse import rehearse
from lvsc.rehearsal.secrets import stand_ins
from support.examples import EXAMPLES, built

pytestmark = pytest.mark.kernel

#: Those of the short set: between them every backend, forwarding method and kind of service.
SHORT = {
    ("dual-stack", "iptables"),
    ("tunnel", "iptables"),
    ("one-armed", "iptables"),
    ("direct-routing", "nftables"),
}
#: Why an example cannot be had with a packet filter.
REFUSED = {("everything", "nftables"): "its accepts would not overrule another table's drop (NFT002)"}
KERNELS = {"iptables": Kernel.UML, "nftables": Kernel.QEMU}


@pytest.mark.parametrize(
    ("example", "packet_filter"),
    [
        pytest.param(
            example,
            packet_filter,
            marks=[] if (example, packet_filter) in SHORT else pytest.mark.full,
            id=f"{example}, {packet_filter}",
        )
        for example in EXAMPLES
        for packet_filter in KERNELS
        if (example, packet_filter) not in REFUSED
    ],
)
def test_an_example_keeps_all_its_promises(example: str, packet_filter: str, tmp_path: Path) -> None:
    kernel = Kernel.NATIVE if why_not(Kernel.NATIVE) is None else KERNELS[packet_filter]
    if why := why_not(kernel):
        pytest.skip(why)
    # This machine's keepalived is Debian 12's; what a newer one knows is judged by its keywords elsewhere.
    compiled = built(example, Options(target="debian12", backends=(packet_filter,)))
    write(compiled, tmp_path, stand_ins()[0])
    found = rehearse(compiled, tmp_path / compiled.cluster.name, kernel, 600, lambda _: None)
    assert found.diagnostics == []
    reached = {proved.what for proved in found.proved}
    left_out = {each.what for each in found.left_out}
    assert {s.service.name for s in compiled.lowered.services} <= reached | left_out
    assert not any("--limit" in each.why for each in found.left_out)
