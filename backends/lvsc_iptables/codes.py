"""The codes of what this backend refuses."""

from lvsc.plugin import Code

NAME = Code(
    "IPT001",
    "a name that no iptables rule can hold",
    """\
Each rule that lvsc writes names its service in a comment, and names helpers and interfaces as they are. These words
end in a file that a root program reads, so only those pass that need no quoting there:

- a service: letters, digits, `.`, `_` and `-`, at most 64 of them;
- a conntrack helper: the same characters, at most 15 (the kernel's XT_CT helper name);
- an interface: the same characters, at most 15 (the kernel's IFNAMSIZ); `+` is left out because iptables would take
  it for "any interface that begins so".

Names in a spec are checked when it is read, so this comes from a plugin's node. Choose another name.""",
)
HOOK = Code(
    "IPT002",
    "a rule at a hook that has no chain for it",
    """\
iptables marks packets and exempts them from connection tracking at prerouting and output, assigns conntrack helpers at
prerouting, replaces source addresses at postrouting and accepts packets at input and forward. A plugin asked for
something else. Nothing is written, because a rule at another hook would not do what was asked for.""",
)
CONDITION = Code(
    "IPT003",
    "a condition that cannot be met at this hook",
    """\
The kernel looks at some conditions at some hooks only:

- the source MAC address: prerouting, input and forward (xt_mac.c). A packet that the host sends itself has none;
- the original destination of a connection: everywhere but in the raw table, which comes before connection tracking.
  Packets are exempted from it there, and helpers are assigned;
- the state of a connection, and a protocol without ports: only in what accepts packets. IPVS balances neither.

A rule with such a condition would match nothing, or not load.""",
)
FAMILY = Code(
    "IPT004",
    "addresses of two families in one rule",
    """\
A rule is loaded by iptables or by ip6tables. Every network and address in it is of the family that its traffic class
names. A plugin's node mixes the two: make one node for each family.""",
)
VALUE = Code(
    "IPT005",
    "a value that an iptables rule cannot hold",
    """\
A mark is a number from 1 to 0xffffffff. A MAC address is six pairs of hexadecimal digits in lower case, with colons
between them. The new source address of a connection is one that a host can have. A plugin's node holds something
else.""",
)
PROGRAM = Code(
    "IPT006",
    "the target has no iptables",
    """\
The rules are loaded by `iptables`, `iptables-restore` and `iptables-save`, or by the three of `ip6tables`. The target's
data names no path for one of them, because the distribution does not ship it. Use the nftables backend for this target
(`--backend nftables`).""",
)

ALL = (NAME, HOOK, CONDITION, FAMILY, VALUE, PROGRAM)
