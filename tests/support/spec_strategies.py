"""Generated specs: whole clusters that a target can have with a director backend.

What is drawn fits together, so that a spec is refused only for what its target or a backend cannot do; a test that uses
these must still count what builds.
"""

from hypothesis import assume
from hypothesis import strategies as st

from lvsc.plugin import Feature
from lvsc.targets import load
from support.spec_services import services
from support.spec_site import Site, Values, duration, flags, one_in, optional, ports, sites, words

_mail = st.just("lvs@example.net") | st.builds(
    "{}@{}".format, st.text("aZ09._+-", min_size=1, max_size=6), st.text("aZ09.-", min_size=1, max_size=6)
)


@st.composite
def specs(draw: st.DrawFn, target: str, director: str) -> Values:
    """A spec as plain values, for a target and a director backend."""
    site, values = draw(sites(load(target), director))
    pools, tables = draw(services(site))
    assume(tables)
    values["pools"] = pools
    values["services"] = tables
    values["cluster"] = draw(_clusters(site))
    timeouts = duration(1, 31 * 86400)
    values |= draw(
        optional(
            timeouts=optional(tcp=timeouts, tcp_fin=timeouts, udp=timeouts),
            tuning=_tuning(site),
            email=_email() if site.probes else None,
        )
    )
    return values


@st.composite
def _clusters(draw: st.DrawFn, site: Site) -> Values:
    values: Values = {"name": draw(words), "target": site.target.name}
    if site.firewall is not None:
        values["firewall"] = site.firewall
    if site.forwarding is not None:
        values["forwarding"] = site.forwarding.value
    if site.firewall != "none" and draw(one_in(4)):
        values["accept"] = True
    marks = st.integers(1, 0x40000000).map(lambda first: {"first": first, "last": first + 0x3FFFFFFF})
    return values | draw(
        optional(
            marks=marks,
            script_user=st.just("root")
            | st.builds("{}{}".format, st.sampled_from("az_"), st.text("az09_-", max_size=8)),
        )
    )


def _tuning(site: Site) -> st.SearchStrategy[Values]:
    bits = 27 if site.has(Feature.KERNEL_CONN_TAB_BITS_27) else 20
    return optional(
        expire_nodest_conn=flags,
        expire_quiescent_template=flags,
        conn_reuse_mode=st.integers(0, 3),
        sloppy_tcp=flags,
        sync_threshold=st.integers(0, 100).map(lambda n: {"packets": n, "period": n + 1}),
        connection_table_bits=st.integers(8, bits),
        conntrack_max=st.integers(1024, 2**31 - 1),
        conntrack_buckets=st.integers(1024, 2**31 - 1),
    )


@st.composite
def _email(draw: st.DrawFn) -> Values:
    values: Values = {
        "from": draw(_mail),
        "to": draw(st.lists(_mail, min_size=1, max_size=3, unique=True)),
        "server": draw(st.sampled_from(("192.0.2.25", "2001:db8::25"))),
    }
    return values | draw(optional(port=ports))
