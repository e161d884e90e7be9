"""The codes of what the reader does not understand, or finds without effect."""

from lvsc.plugin import Code

SYNTAX = Code(
    "NFT101",
    "not a ruleset of nftables",
    """\
The reader knows what `nft list ruleset` and `nft -j list ruleset` print, and the file that lvsc writes. This is none of them: a brace that
closes nothing, a command that changes lvsc's table in pieces, a document of another form.""",
)
OWN = Code(
    "NFT102",
    "something in lvsc's table that is not understood",
    """\
lvsc's tables (`inet lvsc`, and `ip lvsc` and `ip6 lvsc` on old kernels) hold sets, maps, helper objects and rules of a few
forms only. This one is of another form, so it cannot be said which packets it is for. Somebody changed it by hand, or another
program did. Load lvsc's own file again to be rid of it: `nft -f /etc/lvsc/nftables.nft`.""",
)
NO_EFFECT = Code(
    "NFT103",
    "something in lvsc's table that has no effect",
    """\
It is there, but does nothing for any packet, or not what it says:

- a helper is assigned before connection tracking (priority -200) has seen the packet, or for another protocol than its
  object says: the rule loads and does nothing;
- a packet is exempted from connection tracking when that has seen it already (from priority -200 on);
- a connection's source address is replaced in a chain that is not of the type `nat`;
- a condition can never be met at the chain's hook: a source MAC address on the way out, an incoming interface at output, a
  connection's original destination before connection tracking;
- a chain is not a base chain and nothing jumps to it; a set or map is one that no rule looks at.

Load lvsc's own file again: `nft -f /etc/lvsc/nftables.nft`.""",
)
TWO_ANSWERS = Code(
    "NFT104",
    "two answers of lvsc's for the same packets",
    """\
Two elements or rules match exactly the same packets and give them different marks, helpers or addresses. lvsc never writes that. One of
the two has no effect: of marks the last one set stays, of everything else the first.""",
)

ALL = (SYNTAX, OWN, NO_EFFECT, TWO_ANSWERS)
