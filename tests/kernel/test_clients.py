"""Other clients and variants than the laboratory's usual ones: curl, and iptables over nftables."""

import pytest

from lvsc.graph.traffic import Family
from lvsc.laboratory.kernels import Kernel
from lvsc.laboratory.topology import OUTSIDE

from .clusters import BUNDLE, NAT
from .conftest import Start

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize(
    "kernel",
    [
        pytest.param(Kernel.UML, id="iptables-legacy"),
        pytest.param(Kernel.QEMU, id="iptables-nft", marks=pytest.mark.full),
    ],
)
def test_curl_stays_on_one_server_at_both_ports_of_a_bundle(trial: Start, kernel: Kernel) -> None:
    site = trial(NAT, BUNDLE, kernel=kernel)
    variant = site.run("lvs1", "iptables", "--version").split()[-1]
    assert variant == ("(legacy)" if site.laboratory.kernel is Kernel.UML else "(nf_tables)")
    for family, address in ((Family.IPV4, "192.0.2.10"), (Family.IPV6, "[2001:db8:2::10]")):
        served = set()
        for source in site.clients("www", family)[:6]:
            urls = [f"http://{address}:{port}/" for port in (80, 443)]
            said = site.run(OUTSIDE, "curl", "-sgS", "-m", "20", "--interface", source, *urls).splitlines()
            servers = {line.split()[0] for line in said}
            assert (len(said), len(servers)) == (2, 1), said
            assert {line.split()[3] for line in said} == {source}
            served |= servers
        assert served == {"web1", "web2", "web3"}
