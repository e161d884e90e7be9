"""The VRRP blocks: scripts, instances and the group that fails over together (keepalived.conf(5), "VRRP")."""

from collections.abc import Sequence

from lvsc.plugin import (
    AuthenticationType,
    EmailAlerts,
    Feature,
    HostPart,
    SyncGroup,
    TrackScript,
    VirtualAddress,
    VrrpInstance,
)
from lvsc_keepalived.checkers import seconds
from lvsc_keepalived.page import Page

#: An advert lists addresses; as many fit in a packet of 1280 bytes (IPv6's least MTU). keepalived moves those beyond its
#: own limit to the excluded ones by itself (vrrp.c, vrrp_complete_instance), so it is left nothing to move.
ADVERTISED = 64


def failover(page: Page, part: HostPart) -> None:
    """Append all VRRP blocks of a host."""
    for script in part.graph.of(TrackScript):
        _script(page, script)
    addresses: dict[str, list[VirtualAddress]] = {}
    for address in part.graph.of(VirtualAddress):
        addresses.setdefault(address.instance or "", []).append(address)
    groups = part.graph.of(SyncGroup)
    member_of = {name: group for group in groups for name in group.instances}
    tracks = part.target.has(Feature.KEEPALIVED_GROUP_TRACKING)
    alerts = bool(part.graph.of(EmailAlerts)) and not part.target.has(Feature.KEEPALIVED_SMTP_ALERT)
    for instance in part.graph.of(VrrpInstance):
        page.gap()
        page.open(f"vrrp_instance {page.word(instance.name, instance)}", instance.origin)
        _instance(page, instance)
        _addresses(page, addresses.get(instance.name, ()), instance)
        group = member_of.get(instance.name)
        alone = group is not None and len(group.instances) == 1
        if group is not None and (alone or not tracks):
            _tracking(page, group)
        if group is not None and alone:
            _notifications(page, group)
        if alerts:
            page.line("smtp_alert", instance.origin)
        page.close()
    for group in groups:
        # A group of one is removed by keepalived 1.3.5 and an error to later releases: its instance says it all.
        if len(group.instances) > 1:
            page.gap()
            page.open(f"vrrp_sync_group {page.word(group.name, group)}", group.origin)
            _names(page, "group", group.instances, group)
            if tracks:
                _tracking(page, group)
            _notifications(page, group)
            if alerts:
                page.line("smtp_alert", group.origin)
            page.close()


def _script(page: Page, script: TrackScript) -> None:
    page.gap()
    page.open(f"vrrp_script {page.word(script.name, script, 'name')}", script.origin)
    page.say("script", page.command, script.command, script, "command")
    for keyword in ("interval", "timeout", "rise", "fall"):
        page.line(f"{keyword} {getattr(script, keyword)}", script.origin)
    page.close()


def _instance(page: Page, instance: VrrpInstance) -> None:
    origin = instance.origin
    # The priority decides who becomes master; nopreempt and preempt_delay need a start as backup.
    page.line("state BACKUP", origin)
    page.line(f"interface {page.word(instance.interface, instance)}", origin)
    page.line(f"version {instance.version}", origin)
    page.line(f"virtual_router_id {instance.router_id}", origin)
    page.line(f"priority {instance.priority}", origin)
    page.line(f"advert_int {seconds(instance.advertisement_interval)}", origin)
    if not instance.preempt:
        page.line("nopreempt", origin)
    if instance.preempt_delay:
        page.line(f"preempt_delay {seconds(instance.preempt_delay)}", origin)
    if instance.unicast_source is not None:
        page.line(f"unicast_src_ip {page.address(instance.unicast_source, instance)}", origin)
    if instance.unicast_peers:
        page.open("unicast_peer", origin)
        for peer in instance.unicast_peers:
            page.line(page.address(peer, instance), origin)
        page.close()
    if instance.authentication is not None:
        kind = "PASS" if instance.authentication.type is AuthenticationType.PASS else "AH"
        page.open("authentication", origin)
        page.line(f"auth_type {kind}", origin)
        page.line(f"auth_pass {page.word(instance.authentication.password.placeholder, instance)}", origin)
        page.close()


def _addresses(page: Page, addresses: Sequence[VirtualAddress], instance: VrrpInstance) -> None:
    _block(page, "virtual_ipaddress", addresses[:ADVERTISED], instance)
    _block(page, "virtual_ipaddress_excluded", addresses[ADVERTISED:], instance)


def _block(page: Page, keyword: str, addresses: Sequence[VirtualAddress], instance: VrrpInstance) -> None:
    if not addresses:
        return
    page.open(keyword, instance.origin)
    for node in addresses:
        where = f"{page.address(node.address.ip, node, 'ip')}/{node.address.network.prefixlen}"
        page.line(f"{where} dev {page.word(node.interface, node)}", node.origin)
    page.close()


def _tracking(page: Page, group: SyncGroup) -> None:
    """The tracked things, which are no instance's own interface: keepalived complains of those."""
    _names(page, "track_interface", group.track_interfaces, group)
    _names(page, "track_script", group.track_scripts, group)


def _names(page: Page, block: str, names: Sequence[str], group: SyncGroup) -> None:
    if not names:
        return
    page.open(block, group.origin)
    for name in names:
        page.line(page.word(name, group), group.origin)
    page.close()


def _notifications(page: Page, group: SyncGroup) -> None:
    for state in ("master", "backup", "fault", "stop"):
        command = getattr(group, state)
        if command is not None:
            page.say(f"notify_{state}", page.command, command, group, "notify", state)
