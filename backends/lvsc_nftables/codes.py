"""The codes of what this backend refuses."""

from lvsc.plugin import Code

ACCEPT = Code(
    "NFT001",
    "an accept that another nftables table could overrule",
    """\
Every base chain at a hook sees a packet, and one drop is final: an accept in lvsc's own table does not keep the
distribution's table from dropping the packet (nft(8), VERDICT STATEMENT). lvsc changes no table but its own, so it
cannot make the director's firewall let these packets through.

Put the rule that the message shows into the ruleset that drops them (`/etc/nftables.conf`, or a rich rule of
firewalld), and leave `accept` out of the spec. The iptables backend can write accepts (`--backend iptables`), because
lvsc's chain comes first in the same table as the firewall's rules; that too only helps against a firewall of iptables.""",
)
HOOK = Code(
    "NFT002",
    "a rule at a hook that has no chain for it",
    """\
lvsc's nftables table exempts packets from connection tracking, marks them and assigns conntrack helpers at prerouting
and output, and replaces source addresses at postrouting. A plugin asked for something else. Nothing is written, because
a rule at another hook would not do what was asked for.""",
)
CONDITION = Code(
    "NFT003",
    "a condition that cannot be met at this hook",
    """\
- A source MAC address is known at prerouting only: a packet that the host sends itself has none, and at postrouting the
  link-layer header is that of another network.
- The original destination of a connection is known once connection tracking has seen the packet, so a rule that exempts
  a packet from it comes too early.
- The state of a connection, and protocols other than `tcp`, `udp` and `sctp`, are nothing that lvsc's maps look up.

A rule with such a condition would match the wrong packets, or none.""",
)
NAME = Code(
    "NFT004",
    "a name that no nftables file can hold",
    """\
Each element that lvsc writes names its service in a comment, and names helpers and interfaces as they are. These words
end in a file that a root program reads, so only those pass that need no quoting there:

- a service: letters, digits, `.`, `_` and `-`, at most 64 of them (an nftables comment holds 128 bytes);
- a conntrack helper: the same characters, the first a letter, at most 15 (the kernel's NF_CT_HELPER_NAME_LEN);
- an interface: the same characters, at most 15 (the kernel's IFNAMSIZ); `*` is left out because nft would take it for
  "any interface that begins so".

Names in a spec are checked when it is read, so this comes from a plugin's node. Choose another name.""",
)
VALUE = Code(
    "NFT005",
    "a value that an nftables rule cannot hold",
    """\
A mark is a number from 1 to 0xffffffff. A MAC address is six pairs of hexadecimal digits in lower case, with colons
between them. Every address in a rule is of the family that its traffic class names, and the new source address of a
connection is one that a host can have. The reason for a rule is one line of printable characters. A plugin's node holds something else.""",
)
CONFLICT = Code(
    "NFT006",
    "two answers for the same packet",
    """\
A map gives one answer for a key. Two rules that match the same packets want different marks, or different source
addresses; nft would refuse the whole file. Let the two rules match different packets.""",
)

ALL = (ACCEPT, HOOK, CONDITION, NAME, VALUE, CONFLICT)
