"""The codes of what the host backend refuses to write."""

from lvsc.plugin import Code

MODULE = Code(
    "HST001",
    "kernel module or module option with other characters",
    "A module's name stands alone on a line of modules-load.d and as an argument of modprobe, and an option stands in "
    "modprobe.d, whose lines modprobe splits at blanks. Names are letters, digits, `_` and, inside a module's name, `-`. "
    "An option's value may also hold `.`, `:`, `/`, `+` and `-`. It holds no comma, because several values of one "
    "option are written as one list with commas.",
)
SYSCTL_KEY = Code(
    "HST002",
    "sysctl key that cannot be written",
    "A key is two or more names below /proc/sys with dots between them, such as `net.ipv4.ip_forward`. The dot of an "
    "interface such as `eth0.5` is written as a slash: `net.ipv4.conf.eth0/5.arp_ignore` (sysctl.d(5)). Patterns with "
    "`*`, a leading `-` and names that begin with a dot are refused, because `sysctl -p` and the program that reads "
    "sysctl.d at boot do not agree about them.",
)
SYSCTL_VALUE = Code(
    "HST003",
    "sysctl value that cannot be written",
    "A value is one or more words of letters, digits and `_.,:/+-` with single blanks between them. Neither sysctl.d(5) "
    "nor `sysctl -p` knows quotes, so anything else could not be told from a comment or a second setting.",
)
SYSCTL_CONFLICT = Code(
    "HST004",
    "one sysctl, two values",
    "A kernel setting has one value on a host. Which of two lines in sysctl.d counts would depend on their order.",
)
INTERFACE = Code(
    "HST005",
    "interface name that cannot be written",
    "An interface's name is an argument of ip(8) and a word in a shell script. It is 1 to 15 letters, digits, `.`, `_` "
    "or `-`, of which the first is a letter or a digit.",
)
ADDRESS = Code(
    "HST006",
    "virtual address that cannot be added",
    "A virtual address is added with `ip addr`. It has no zone (`%eth0`): its interface is said apart. On loopback it "
    "is a single address (/32, or /128 for IPv6) on `lo`, because the kernel takes every address of a network on "
    "loopback for its own. An address has one prefix length on an interface.",
)
TUNNEL = Code(
    "HST007",
    "tunnel device that cannot be made",
    "A real server unwraps gue packets that come to a UDP port, so a gue tunnel has a port from 1 to 65535. ipip and "
    "gre have none. A port belongs to one tunnel of an outer address family. Gre packets with checksums take a device of "
    "their own, made for the address that they are sent to, and a host has one for IPv4 and one for IPv6.",
)

ALL = (MODULE, SYSCTL_KEY, SYSCTL_VALUE, SYSCTL_CONFLICT, INTERFACE, ADDRESS, TUNNEL)
