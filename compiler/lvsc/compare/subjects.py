"""What settings are called, and what they belong to."""

from lvsc.compare.changes import Section
from lvsc.compare.names import Names, end
from lvsc.graph.nodes import (
    ConnectionSync,
    EmailAlerts,
    HealthCheck,
    KernelModule,
    ModuleOption,
    Node,
    Quorum,
    ScriptUser,
    SorryServer,
    SyncGroup,
    Sysctl,
    Timeouts,
    TrackScript,
    TunnelDevice,
    VirtualAddress,
    VrrpInstance,
)

_SECTIONS: dict[type[Node], Section] = {
    SorryServer: Section.REAL_SERVERS,
    Quorum: Section.SERVICES,
    HealthCheck: Section.CHECKS,
    VirtualAddress: Section.FAILOVER,
    VrrpInstance: Section.FAILOVER,
    SyncGroup: Section.FAILOVER,
    TrackScript: Section.FAILOVER,
    ConnectionSync: Section.FAILOVER,
    EmailAlerts: Section.FAILOVER,
    ScriptUser: Section.FAILOVER,
    Sysctl: Section.HOST_SETTINGS,
    KernelModule: Section.HOST_SETTINGS,
    ModuleOption: Section.HOST_SETTINGS,
    TunnelDevice: Section.HOST_SETTINGS,
    Timeouts: Section.HOST_SETTINGS,
}


#: What decides on packets beside the rules and services that are followed.
_REACHING = frozenset({VirtualAddress, Sysctl, KernelModule, ModuleOption, TunnelDevice})


def reaches_packets(kind: type[Node]) -> bool:
    """Whether a type of node decides what becomes of packets, in ways that a comparison does not follow."""
    return kind in _REACHING


def section(kind: type[Node]) -> Section:
    """What a type of node belongs to."""
    return _SECTIONS.get(kind, Section.OTHER)


def subject(node: Node, names: Names) -> str:
    """What a node is called."""
    match node:
        case HealthCheck():
            return f"check of {end(node.address, node.port)} of {title(names.service(node.selector))}"
        case SorryServer():
            return f"sorry server {end(node.address, node.port)} of {title(names.service(node.selector))}"
        case Quorum():
            return f"quorum of {title(names.service(node.selector))}"
        case VirtualAddress():
            return f"address {node.address.ip} on {node.interface}"
        case VrrpInstance():
            return f"VRRP instance `{node.name}`"
        case SyncGroup():
            return f"failover group `{node.name}`"
        case TrackScript():
            return f"track script `{node.name}`"
        case Sysctl():
            return f"sysctl {node.key}"
        case KernelModule():
            return f"module {node.name}"
        case ModuleOption():
            return f"option {node.option} of module {node.module}"
        case TunnelDevice():
            return f"tunnel device {node.device}"
        case ConnectionSync():
            return "connection synchronisation"
        case Timeouts():
            return "connection time-outs"
        case EmailAlerts():
            return "alerts by mail"
        case ScriptUser():
            return "user of the commands"
    return node.said or type(node).__name__


def detail(node: Node) -> str:
    """What tells a node that is on one side alone from others of its type, where its subject does not."""
    match node:
        case Sysctl() | ModuleOption():
            return node.value
        case VirtualAddress():
            return str(node.address)
    return "there"


def title(name: str) -> str:
    """A name as it stands in a text."""
    return f"`{name}`"
