"""The codes of FTP services that cannot work."""

from lvsc.plugin import Code

MIXED = Code(
    "FTP001",
    "FTP with mixed forwarding methods",
    """By `nat` the director translates what FTP says inside its control connection; by `direct` and `tunnel` the real
server speaks for itself. A pool that mixes them would need both at once. Make a pool, and a service, of each.""",
)

NO_RANGE = Code(
    "FTP002",
    "FTP without a passive range",
    """The director balances only ports that it knows. By `direct` and `tunnel`, and by `nat` where the control connection
is encrypted, it cannot read which port the server offers for a passive transfer, so the range is said in advance and
joined to the control port under one persistent mark:

    passive_ports = "10000-20000"
""",
)

TWO_ADDRESSES = Code(
    "FTP003",
    "encrypted FTP at two virtual addresses of one family",
    """With `tls` the director cannot read which virtual address the client of an active transfer connected to, so data
would come from the wrong one for all clients but those of one address, and clients refuse that. Nor can it correct the
address in the server's 227 reply, and vsftpd can be told one only (vsftpd.conf(5), pasv_address). Make a service, and a
pool, for each address.""",
)

TOO_MANY_PORTS = Code(
    "FTP004",
    "too many FTP control ports",
    """The kernel module ip_vs_ftp reads the control connections of at most eight ports (IP_VS_APP_MAX_PORTS). Services that
are encrypted (`tls`), or reached by `direct` or `tunnel`, do not count.""",
)

TWO_SETTINGS = Code(
    "FTP005",
    "two settings for one vsftpd",
    """A real server is in two FTP services that need different settings of its one vsftpd: another passive range, control
port or passive address. Use the same for both, or real servers of their own.""",
)

RANGE_HOLDS_CONTROL = Code(
    "FTP006",
    "the passive range holds the control port",
    """The server listens on the control port, so it cannot offer it for a transfer. Choose a range without it.""",
)

UNFIT = Code(
    "FTP007",
    "a setting that vsftpd cannot be given",
    """The target ships no vsftpd; or the passive range ends below port 1024, and vsftpd leaves such settings aside and offers
any port from 1024 on (seen with 3.0.3). Choose another range, or say `server = "other"` where another program serves
FTP, and give it the passive range that the spec says.""",
)

BOTH_FAMILIES = Code(
    "FTP008",
    "encrypted FTP of both families at one vsftpd",
    """With `tls` and `nat`, vsftpd must give the virtual address in its 227 reply (pasv_address), and it gives 0.0.0.0 instead
while it listens for IPv6 as well (seen with 3.0.3). So its settings make it listen for IPv4 alone, and IPv6 clients would
be refused. Use real servers of their own for each family, or another program (`server = "other"`).""",
)

TLS_BESIDE_READ = Code(
    "FTP009",
    "encrypted FTP beside FTP that the directors read, at one control port",
    """The kernel module ip_vs_ftp reads a control port's connections by NAT, whichever service they are of. Clients of the
service with `tls` that do not encrypt would be read, too, and it mistakes the virtual address in their server's 227 reply
for the server's own: their passive transfers fail. Choose another control port for one of the services, say `tls` for
both, or let other directors balance one.""",
)

ALL = (
    MIXED,
    NO_RANGE,
    TWO_ADDRESSES,
    TOO_MANY_PORTS,
    TWO_SETTINGS,
    RANGE_HOLDS_CONTROL,
    UNFIT,
    BOTH_FAMILIES,
    TLS_BESIDE_READ,
)
