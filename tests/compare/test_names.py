"""What services are called that no spec names."""

from ipaddress import ip_address

import pytest

from lvsc.compare.names import selector_words
from lvsc.graph.nodes import AddressSelector, MarkSelector, Selector
from lvsc.graph.traffic import Family, Protocol
from lvsc_ipvsadm.read_table import label

SELECTORS: dict[str, Selector] = {
    "mark": MarkSelector(80, Family.IPV4),
    "mark over IPv6": MarkSelector(80, Family.IPV6),
    "address": AddressSelector(Protocol.TCP, ip_address("192.0.2.10"), 80),
    "IPv6 address": AddressSelector(Protocol.UDP, ip_address("2001:db8::10"), 53),
    "all ports": AddressSelector(Protocol.SCTP, ip_address("192.0.2.10"), 0),
    "all ports over IPv6": AddressSelector(Protocol.TCP, ip_address("2001:db8::10"), 0),
}


@pytest.mark.parametrize("selector", SELECTORS.values(), ids=SELECTORS)
def test_an_ipvs_tables_words_for_a_service_are_no_name_to_a_comparison(selector: Selector) -> None:
    assert label(selector) == selector_words(selector)
