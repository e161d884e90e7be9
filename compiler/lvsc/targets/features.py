"""What a version of a program can do that an older one can not.

Each member names the first upstream release that has the feature, as read in the source it names. A distribution may
have it earlier (a backport) or not at all (a build option): its data file says so.
"""

from dataclasses import dataclass
from enum import Enum

from lvsc.targets.version import Version


class Program(Enum):
    """A program whose version a target states."""

    KERNEL = "kernel"
    IPTABLES = "iptables"
    NFTABLES = "nftables"
    IPVSADM = "ipvsadm"
    KEEPALIVED = "keepalived"
    SYSTEMD = "systemd"
    OPENRC = "openrc"
    VSFTPD = "vsftpd"


@dataclass(frozen=True, slots=True)
class FeatureFact:
    """Which release of which program first has a feature."""

    program: Program
    since: Version
    title: str
    """A phrase that completes "needs keepalived 2.0.7 or newer for …"."""
    source: str
    """Where `since` was read."""
    instead: str
    """What to do where it is missing."""
    added_to: "FeatureFact | None" = None
    """The feature that it adds to, and is nothing without."""


_DO_WITHOUT = "do without it"


def _kernel(
    since: str, title: str, source: str, instead: str = _DO_WITHOUT, added_to: FeatureFact | None = None
) -> FeatureFact:
    return FeatureFact(Program.KERNEL, Version.parse(since), title, source, instead, added_to)


def _iptables(since: str, title: str, source: str) -> FeatureFact:
    return FeatureFact(Program.IPTABLES, Version.parse(since), title, source, _DO_WITHOUT)


def _nft(since: str, title: str, source: str) -> FeatureFact:
    return FeatureFact(Program.NFTABLES, Version.parse(since), title, source, _BY_IPTABLES)


def _ipvsadm(
    since: str, title: str, source: str, instead: str = _DO_WITHOUT, added_to: FeatureFact | None = None
) -> FeatureFact:
    return FeatureFact(Program.IPVSADM, Version.parse(since), title, source, instead, added_to)


def _keepalived(
    since: str, title: str, source: str, instead: str = _DO_WITHOUT, added_to: FeatureFact | None = None
) -> FeatureFact:
    """``source``: the file that first installs the keyword, in the git tag of release ``since``."""
    where = f"keepalived v{since}: {source}"
    return FeatureFact(Program.KEEPALIVED, Version.parse(since), title, where, instead, added_to)


_BY_IPTABLES = "use the backend `iptables`"
_OTHER_SCHEDULER = "choose another scheduler"
_NO_FLAGS = "remove `scheduler_flags`"
_OTHER_TUNNEL = "use tunnels of type `ipip`"
_ONE_FAMILY = "give the real server an address of the service's family"
_NO_PARAMETERS = "leave them out"
_NO_SCTP = "leave out its SCTP ports"
_OTHER_CHECK = "choose another check"
_NO_RETRY = "set `retries = 0`"

_CHECK = "keepalived/check/check_parser.c"
_GLOBAL = "keepalived/core/global_parser.c"
_VRRP = "keepalived/vrrp/vrrp_parser.c"
_HTTP = "keepalived/check/check_http.c"
_COMMON = "keepalived/check/check_api.c"


class Feature(Enum):
    """Something that a target has or lacks."""

    KERNEL_SCHED_FO = _kernel(
        "3.18", "the scheduler `fo`", "Linux: net/netfilter/ipvs/ip_vs_fo.c", _OTHER_SCHEDULER
    )
    KERNEL_SCHED_OVF = _kernel(
        "4.3", "the scheduler `ovf`", "Linux: net/netfilter/ipvs/ip_vs_ovf.c", _OTHER_SCHEDULER
    )
    KERNEL_SCHED_MH = _kernel(
        "4.18", "the scheduler `mh`", "Linux: net/netfilter/ipvs/ip_vs_mh.c", _OTHER_SCHEDULER
    )
    KERNEL_SCHED_TWOS = _kernel(
        "5.12", "the scheduler `twos`", "Linux commit 012da53d1afb: ip_vs_twos.c", _OTHER_SCHEDULER
    )
    KERNEL_SH_FLAGS = _kernel(
        "3.11",
        "the scheduler flags of `sh`",
        "Linux: IP_VS_SVC_F_SCHED_SH_FALLBACK in include/uapi/linux/ip_vs.h",
        _NO_FLAGS,
    )
    KERNEL_TUNNEL_GUE = _kernel(
        "5.2", "tunnels of type `gue`", "Linux: IP_VS_CONN_F_TUNNEL_TYPE_GUE", _OTHER_TUNNEL
    )
    KERNEL_TUNNEL_GUE_CHECKSUM = _kernel(
        "5.3",
        "checksums in `gue` tunnels",
        "Linux: IP_VS_TUNNEL_ENCAP_FLAG_CSUM",
        "remove `checksum`",
        added_to=KERNEL_TUNNEL_GUE,
    )
    KERNEL_TUNNEL_GRE = _kernel(
        "5.3", "tunnels of type `gre`", "Linux: IP_VS_CONN_F_TUNNEL_TYPE_GRE", _OTHER_TUNNEL
    )
    KERNEL_FOU = _kernel(
        "3.18", "receiving tunnels of type `gue`", "Linux: net/ipv4/fou.c, CONFIG_NET_FOU", _OTHER_TUNNEL
    )
    KERNEL_MIXED_FAMILIES = _kernel(
        "3.18",
        "real servers of another address family than their service",
        "Linux: IPVS_DEST_ATTR_ADDR_FAMILY",
        _ONE_FAMILY,
    )
    KERNEL_SYNC_PARAMETERS = _kernel(
        "4.3",
        "the group, port, TTL and packet length of connection synchronisation",
        "Linux: IPVS_DAEMON_ATTR_SYNC_MAXLEN",
        _NO_PARAMETERS,
    )
    KERNEL_FTP_EPSV = _kernel(
        "4.18",
        "FTP over IPv6 and extended passive mode under NAT",
        "Linux commit d12e12299a69: ip_vs_ftp.c",
        "say `passive_ports`",
    )
    KERNEL_CONN_TAB_BITS_27 = _kernel(
        "6.5",
        "a connection table of more than 2^20 buckets",
        "Linux commit 04292c695f82: net/netfilter/ipvs/Kconfig",
        "choose 20 or less",
    )
    KERNEL_NFTABLES = _kernel("3.13", "nftables", "Linux: net/netfilter/nf_tables_api.c", _BY_IPTABLES)
    KERNEL_NFT_CT_HELPER = _kernel("4.12", "`ct helper` objects", "Linux: NFT_OBJECT_CT_HELPER", _BY_IPTABLES)
    KERNEL_NFT_CONCAT_RANGES = _kernel(
        "5.6", "ranges in concatenated set elements", "Linux: nft_set_pipapo.c", _BY_IPTABLES
    )
    KERNEL_NFT_CT_ORIGINAL = _kernel(
        "4.17",
        "matching a connection's original destination in nftables",
        "Linux: NFT_CT_DST_IP in include/uapi/linux/netfilter/nf_tables.h",
        _BY_IPTABLES,
    )
    KERNEL_NFT_INET_NAT = _kernel(
        "5.2",
        "source NAT in nftables tables of family `inet`",
        "nftables wiki: Inet family NAT",
        _BY_IPTABLES,
    )

    IPTABLES_WAIT = _iptables("1.4.20", "waiting for the xtables lock (`-w`)", "iptables 1.4.20: iptables(8)")
    IPTABLES_RESTORE_WAIT = _iptables(
        "1.6.2", "waiting for the xtables lock in `iptables-restore`", "iptables 1.6.2: iptables-restore(8)"
    )

    NFT_CT_HELPER = _nft("0.8", "`ct helper` objects", "nftables 0.8: src/parser_bison.y")
    NFT_TRANSPORT_PORTS = _nft(
        "0.9.3",
        "maps that hold the ports of every protocol (`th dport`)",
        "nft 0.9.3 of Ubuntu 20.04 loads them; no older release was tried",
    )
    NFT_CONCAT_RANGES = _nft(
        "0.9.4", "ranges in concatenated set elements", "nftables 0.9.4: release announcement"
    )

    IPVSADM_SCHED_FLAGS = _ipvsadm("1.27", "scheduler flags", "ipvsadm 1.27: ipvsadm(8)", _NO_FLAGS)
    IPVSADM_MH_FLAGS = _ipvsadm(
        "1.30",
        "the scheduler flags of `mh`",
        "ipvsadm: parse_sched_flags, not in 1.29, in 1.31; 1.30 by its announcement",
        _NO_FLAGS,
        added_to=IPVSADM_SCHED_FLAGS,
    )
    IPVSADM_SCTP = _ipvsadm(
        "1.28", "services of protocol SCTP", "ipvsadm commit 2ce22dc: add SCTP support", _NO_SCTP
    )
    IPVSADM_MIXED_FAMILIES = _ipvsadm(
        "1.28",
        "real servers of another address family than their service",
        "ipvsadm commit 7c87583: specify real server address family to netlink socket",
        _ONE_FAMILY,
    )
    IPVSADM_SYNC_PARAMETERS = _ipvsadm(
        "1.29",
        "the group, port, TTL and packet length of connection synchronisation",
        "ipvsadm commit ce61500: new attributes for sync daemon",
        _NO_PARAMETERS,
    )
    IPVSADM_TUNNEL_TYPES = _ipvsadm(
        "1.31", "tunnels of type `gue` and `gre`", "ipvsadm 1.31: ipvsadm(8)", _OTHER_TUNNEL
    )

    KEEPALIVED_OPS = _keepalived("1.2.8", "one-packet scheduling", _CHECK, "remove `one_packet`")
    KEEPALIVED_SCTP = _keepalived("1.2.20", "services of protocol SCTP", _CHECK, _NO_SCTP)
    KEEPALIVED_PERSISTENCE_ENGINE = _keepalived(
        "1.2.20", "a persistence engine", _CHECK, "remove `persistence_engine`"
    )
    KEEPALIVED_SCHED_FO = _keepalived("1.3.6", "the scheduler `fo`", _CHECK, _OTHER_SCHEDULER)
    KEEPALIVED_SCHED_OVF = _keepalived("1.3.6", "the scheduler `ovf`", _CHECK, _OTHER_SCHEDULER)
    KEEPALIVED_SCHED_MH = _keepalived("2.0.7", "the scheduler `mh`", _CHECK, _OTHER_SCHEDULER)
    KEEPALIVED_SCHED_TWOS = _keepalived("2.2.5", "the scheduler `twos`", _CHECK, _OTHER_SCHEDULER)
    KEEPALIVED_SH_FLAGS = _keepalived("1.3.0", "the scheduler flags of `sh`", _CHECK, _NO_FLAGS)
    KEEPALIVED_MH_FLAGS = _keepalived(
        "2.0.20", "the scheduler flags of `mh`", _CHECK, _NO_FLAGS, added_to=KEEPALIVED_SCHED_MH
    )
    KEEPALIVED_TUNNEL_TYPES = _keepalived("2.0.18", "tunnels of type `gue` and `gre`", _CHECK, _OTHER_TUNNEL)
    KEEPALIVED_OPS_MARK = _keepalived(
        "1.3.7",
        "one-packet scheduling of a service by mark",
        "keepalived/check/ipvswrapper.c",
        "remove `one_packet`, or make a service of one address and port, which needs no mark",
    )
    KEEPALIVED_PERSISTENCE_PREFIX = _keepalived(
        "2.0.0",
        "a persistence prefix of a service by mark or of an IPv4 service",
        _CHECK,
        "remove `persistence_granularity`",
    )
    KEEPALIVED_LARGE_WEIGHT = _keepalived(
        "2.1.0", "weights above 65535", _CHECK, "choose weights up to 65535"
    )
    KEEPALIVED_MIXED_FAMILIES = _keepalived(
        "1.4.0", "real servers of another address family than their service", _CHECK, _ONE_FAMILY
    )
    KEEPALIVED_SERVER_METHOD = _keepalived("1.3.6", "a forwarding method for each real server", _CHECK)
    KEEPALIVED_CHECK_INTERVAL = _keepalived("1.3.7", "an interval for each health check", _COMMON)
    KEEPALIVED_CHECK_VIRTUAL_HOST = _keepalived("1.3.6", "a virtual host for each health check", _HTTP)
    KEEPALIVED_HTTP_RETRY = _keepalived("1.3.7", "the keyword `retry` in HTTP checks", _COMMON)
    KEEPALIVED_SCRIPT_RETRY = _keepalived("1.3.7", "retries of a script check", _COMMON, _NO_RETRY)
    KEEPALIVED_DNS_RETRY_DELAY = _keepalived(
        "1.3.7", "a delay between the retries of a DNS check", _COMMON, _NO_RETRY
    )
    KEEPALIVED_DNS_SIGNATURES = _keepalived(
        "1.3.7",
        "DNS checks of RRSIG and DNSKEY records",
        "keepalived/check/check_dns.c",
        "ask for another record",
    )
    KEEPALIVED_DECIMAL_TIMERS = _keepalived(
        "2.0.13", "times in fractions of a second", "lib/parser.c", "use whole seconds"
    )
    KEEPALIVED_STATUS_RANGES = _keepalived(
        "2.0.17",
        "several HTTP status codes in one check",
        _HTTP,
        "name the one of a good answer, as in `status = [200]`",
    )
    KEEPALIVED_HTTP_REGEX = _keepalived(
        "2.0.7", "regular expressions in HTTP checks", _HTTP, "remove `regex`"
    )
    KEEPALIVED_HTTP_PROTOCOL = _keepalived(
        "2.0.17", "a choice of HTTP version in checks", _HTTP, "remove `http_version`"
    )
    KEEPALIVED_HTTP_SNI = _keepalived(
        "1.4.3", "server name indication in HTTPS checks", _HTTP, "remove `sni`"
    )
    KEEPALIVED_UDP_CHECK = _keepalived("2.1.0", "UDP checks", "keepalived/check/check_udp.c", _OTHER_CHECK)
    KEEPALIVED_UDP_PAYLOAD = _keepalived(
        "2.2.0",
        "the contents of UDP checks",
        "keepalived/check/check_udp.c",
        "remove `payload` and `reply`",
        added_to=KEEPALIVED_UDP_CHECK,
    )
    KEEPALIVED_PING_CHECK = _keepalived("2.1.0", "ping checks", "keepalived/check/check_ping.c", _OTHER_CHECK)
    KEEPALIVED_QUOTED_COMMANDS = _keepalived(
        "2.0.6",
        "commands with quotes or special characters",
        "lib/parser.c, alloc_strvec_quoted_escaped",
        "put it into a script, and name the script",
    )
    KEEPALIVED_SYNC_BOTH = _keepalived(
        "2.1.0", "connection synchronisation in both directions", _GLOBAL, "let VRRP move the addresses"
    )
    KEEPALIVED_GROUP_TRACKING = _keepalived("2.0.0", "tracking for a whole failover group", _VRRP)
    KEEPALIVED_GROUP_STOP = _keepalived(
        "2.0.0", "a command when a failover group stops", _VRRP, "remove `stop` from `notify`"
    )
    KEEPALIVED_SMTP_ALERT = _keepalived("2.0.0", "one switch for all alerts by mail", _GLOBAL)

    @property
    def key(self) -> str:
        """The word for the feature in data files and diagnostics, such as ``kernel_sched_mh``."""
        return self.name.lower()

    @property
    def program(self) -> Program:
        """The program that has or lacks it."""
        return self.value.program

    @property
    def since(self) -> Version:
        """The first upstream release that has it."""
        return self.value.since

    @property
    def title(self) -> str:
        """A phrase that completes "needs keepalived 2.0.7 or newer for …"."""
        return self.value.title

    @property
    def source(self) -> str:
        """Where `since` was read."""
        return self.value.source
