"""The VRRP blocks read (keepalived.conf(5), "VRRP"; vrrp_parser.c, vrrp_data.c)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_interface

from lvsc.plugin import (
    Address,
    AddressRole,
    Authentication,
    AuthenticationType,
    Family,
    Node,
    SecretRef,
    SecretSource,
    SyncGroup,
    TrackScript,
    VirtualAddress,
    VrrpInstance,
    shown,
)
from lvsc_keepalived import read_codes
from lvsc_keepalived.hide import PASSWORD_LENGTH
from lvsc_keepalived.read_fields import Fields, Keywords, Report
from lvsc_keepalived.read_globals import Globals, Sync
from lvsc_keepalived.read_lines import Statement

_SCRIPT = Keywords("vrrp_script", ("script", "interval", "timeout", "rise", "fall", "weight"))
_NOTIFY = ("notify_master", "notify_backup", "notify_fault", "notify_stop")
_GROUP = Keywords("vrrp_sync_group", ("group", "track_interface", "track_script", "smtp_alert", *_NOTIFY))
_INSTANCE = Keywords(
    "vrrp_instance",
    (
        "state",
        "interface",
        "version",
        "virtual_router_id",
        "priority",
        "advert_int",
        "nopreempt",
        "preempt",
        "preempt_delay",
        "native_ipv6",
        "unicast_src_ip",
        "unicast_peer",
        "authentication",
        "virtual_ipaddress",
        "virtual_ipaddress_excluded",
        "track_interface",
        "track_script",
        "smtp_alert",
        "lvs_sync_daemon_interface",
        *_NOTIFY,
    ),
)
_AUTHENTICATION = Keywords("authentication", ("auth_type", "auth_pass"))
_TYPES = {"PASS": AuthenticationType.PASS, "AH": AuthenticationType.AH}
_SECRET = re.compile(r"<lvsc-secret:(env|file):(.+)>")
_MAX_INT = 2**31 - 1
_THREE = 3


@dataclass(slots=True)
class Member:
    """A VRRP instance, or a group of them, with what it tracks and whom it tells."""

    statement: Statement
    name: str
    interfaces: list[str]
    scripts: list[str]
    commands: Mapping[str, str | None]
    alerts: bool


@dataclass(slots=True)
class Failover:
    """All VRRP blocks of a file."""

    scripts: dict[str, TrackScript] = field(default_factory=dict)
    instances: dict[str, VrrpInstance] = field(default_factory=dict)
    addresses: list[VirtualAddress] = field(default_factory=list)
    members: dict[str, Member] = field(default_factory=dict)
    groups: dict[str, tuple[Member, list[str]]] = field(default_factory=dict)

    def nodes(self, report: Report) -> Iterator[Node]:
        """The nodes of all blocks: every instance is in one group, alone where the file has none for it."""
        yield from self.scripts.values()
        yield from self.instances.values()
        yield from self.addresses
        grouped: dict[str, Member] = {}
        for group, names in self.groups.values():
            if not names:
                report.at(
                    read_codes.STRUCTURE,
                    group.statement,
                    "the group has no VRRP instance",
                    advice="remove it",
                )
                continue
            members = [self.members[name] for name in names if name in self.members]
            for name in names:
                first = grouped.setdefault(name, group)
                if name not in self.members or first is not group or names.count(name) > 1:
                    message = (
                        f"the VRRP instance `{shown(name)}` of the group is not in the file, or not only here"
                    )
                    report.at(read_codes.STRUCTURE, group.statement, message)
            if len(members) == len(names):
                yield from self._group(report, group, members)
        for name, member in self.members.items():
            if name not in grouped:
                yield from self._group(report, member, [member])

    def _group(self, report: Report, group: Member, members: Sequence[Member]) -> Iterator[SyncGroup]:
        commands: dict[str, str] = {}
        for member in {id(one): one for one in (group, *members)}.values():
            for state, command in member.commands.items():
                if command is None:
                    continue
                if state in commands or (member is not group and len(members) > 1):
                    message = "a VRRP instance of a group and another block tell of the same change"
                    report.at(
                        read_codes.STRUCTURE, member.statement, message, advice="let the group alone tell it"
                    )
                commands[state] = command
        # Of a group, what one of its instances tracks makes all of them fail; each tracks its own interface anyway.
        own = {self.instances[member.name].interface for member in members if member.name in self.instances}
        interfaces = dict.fromkeys(name for one in (group, *members) for name in one.interfaces)
        scripts = dict.fromkeys(name for one in (group, *members) for name in one.scripts)
        for name in scripts:
            if name not in self.scripts:
                message = f"the track script `{shown(name)}` is not in the file"
                report.at(read_codes.STRUCTURE, group.statement, message, advice="add or rename it")
        yield SyncGroup(
            host=report.host,
            origin=report.origin(group.statement),
            name=group.name,
            instances=tuple(member.name for member in members),
            track_interfaces=tuple(name for name in interfaces if name not in own),
            track_scripts=tuple(scripts),
            master=commands.get("notify_master"),
            backup=commands.get("notify_backup"),
            fault=commands.get("notify_fault"),
            stop=commands.get("notify_stop"),
        )


def read_script(report: Report, statement: Statement, failover: Failover) -> None:
    """A track script."""
    name = _name(report, statement, failover.scripts)
    before = len(report.problems)
    fields = Fields(report, statement, _SCRIPT)
    fields.number("weight", 0, 0, 0)
    interval = fields.number("interval", 1, 4294, 1)
    command = fields.command("script")
    if command is None and "script" not in fields:
        report.at(read_codes.STRUCTURE, statement, "the track script has no command", advice="say `script`")
    # Without a time-out of its own, a script has until its next run (vrrp_scheduler.c).
    timeout = fields.number("timeout", 1, 4294, interval)
    rise = fields.number("rise", 1, _MAX_INT, 1)
    fall = fields.number("fall", 1, _MAX_INT, 1)
    if name is not None and command is not None and len(report.problems) == before:
        failover.scripts[name] = TrackScript(
            host=report.host,
            origin=report.origin(statement),
            name=name,
            command=command,
            interval=interval,
            timeout=timeout,
            rise=rise,
            fall=fall,
        )


def read_group(report: Report, statement: Statement, failover: Failover) -> None:
    """A sync group."""
    name = _name(report, statement, failover.groups)
    fields = Fields(report, statement, _GROUP)
    names = fields.names("group")
    member = _member(fields, name or "")
    if name is not None:
        failover.groups[name] = (member, names)


def read_instance(report: Report, statement: Statement, failover: Failover, found: Globals) -> None:
    """A VRRP instance with the addresses that it moves."""
    name = _name(report, statement, failover.members)
    before = len(report.problems)
    fields = Fields(report, statement, _INSTANCE)
    if name is None:
        return
    interface = fields.text("interface")
    router_id = fields.number("virtual_router_id", 1, 255, 0)
    if interface is None or not router_id:
        message = "a VRRP instance has an `interface` and a `virtual_router_id`"
        report.at(read_codes.STRUCTURE, statement, message, advice="say both")
    fields.one_of("state", {"BACKUP": "BACKUP"})
    addresses = list(_addresses(fields, name, interface or ""))
    peers = tuple(_peers(fields))
    source = fields.address("unicast_src_ip")
    family = _family(fields, source, peers, addresses)
    version = _version(fields, family, found)
    failover.members[name] = _member(fields, name)
    _deprecated_sync(fields, name, found)
    nopreempt = fields.bare("nopreempt")
    if fields.bare("preempt") and nopreempt:
        report.at(
            read_codes.STRUCTURE, fields.said["preempt"], "`nopreempt` is said too", advice="remove one"
        )
    node = VrrpInstance(
        host=report.host,
        origin=report.origin(statement),
        name=name,
        interface=interface or "",
        family=family,
        version=version,
        router_id=router_id,
        priority=fields.number("priority", 1, 254, 100),
        preempt=not nopreempt,
        preempt_delay=fields.seconds("preempt_delay", 0),
        advertisement_interval=fields.seconds("advert_int", 1, least=0.01),
        unicast_source=source,
        unicast_peers=peers,
        authentication=_authentication(fields),
    )
    if len(report.problems) == before:
        failover.instances[name] = node
        failover.addresses += addresses


def _name(report: Report, statement: Statement, taken: Mapping[str, object]) -> str | None:
    """The name of a block, unless it has none or another has it."""
    if len(statement.words) != 2 or not statement.words[1]:  # noqa: PLR2004 - keyword and name
        report.at(read_codes.VALUE, statement, f"`{shown(statement.words[0])}` has one name", index=2)
        return None
    name = statement.words[1]
    if name in taken:
        message = f"a second `{shown(statement.words[0])}` has the name `{shown(name)}`"
        report.at(read_codes.STRUCTURE, statement, message, index=1, advice="rename one of them")
        return None
    return name


def _member(fields: Fields, name: str) -> Member:
    return Member(
        fields.statement,
        name,
        list(_tracked(fields, "track_interface")),
        list(_tracked(fields, "track_script")),
        {state: fields.command(state) for state in _NOTIFY},
        fields.flag("smtp_alert"),
    )


def _tracked(fields: Fields, keyword: str) -> Iterator[str]:
    """What is tracked; with a weight, it would change the priority instead of the state."""
    for entry in fields.entries(keyword):
        if entry.words[1:] not in ([], ["weight", "0"]):
            fields.report.value(entry, 1, "understood here: lvsc has no word for it")
        else:
            yield entry.words[0]


def _addresses(fields: Fields, name: str, interface: str) -> Iterator[VirtualAddress]:
    report = fields.report
    for keyword in ("virtual_ipaddress", "virtual_ipaddress_excluded"):
        for entry in fields.entries(keyword):
            words = entry.words
            try:
                address = ip_interface(words[0])
            except ValueError:
                report.value(entry, 0, "an address with the length of its prefix")
                continue
            if len(words) not in (1, 3) or words[1:2] not in ([], ["dev"]):
                report.value(
                    entry, 1, "understood here: an address has `dev` and an interface, and nothing else"
                )
                continue
            if getattr(address.ip, "scope_id", None) or (
                "/" in words[0] and not words[0].rpartition("/")[2].isdecimal()
            ):
                report.value(entry, 0, "an address with the length of its prefix")
                continue
            yield VirtualAddress(
                host=report.host,
                origin=report.origin(entry),
                interface=words[2] if len(words) > 1 else interface,
                address=address,
                role=AddressRole.SERVED,
                instance=name,
            )


def _peers(fields: Fields) -> Iterator[Address]:
    for entry in fields.entries("unicast_peer"):
        if len(entry.words) > 1:
            fields.report.value(entry, 1, "understood here: a peer is an address")
        peer = fields.report.address(entry, 0)
        if peer is not None:
            yield peer


def _family(
    fields: Fields, source: Address | None, peers: Sequence[Address], addresses: Sequence[VirtualAddress]
) -> Family:
    """The family of the instance: that of its peers, or of the first address that is not an excluded one."""
    said = [address for address in (source, *peers) if address is not None]
    excluded = fields.said.get("virtual_ipaddress_excluded")
    lines = {entry.line for entry in (excluded.block or ())} if excluded is not None else set()
    moved = [one.address.ip for one in addresses if one.origin.line not in lines]
    families = {Family.of(address) for address in (*said, *moved)}
    if fields.bare("native_ipv6"):
        families.add(Family.IPV6)
    if len(families) == 1:
        return families.pop()
    message = (
        "the instance has addresses of two families" if families else "the instance has no address to move"
    )
    fields.report.at(
        read_codes.STRUCTURE, fields.statement, message, advice="give each family an instance of its own"
    )
    return Family.IPV4


def _version(fields: Fields, family: Family, found: Globals) -> int:
    """The VRRP version; IPv6 has the third alone."""
    version = fields.number("version", 2, 3, _THREE if family is Family.IPV6 else found.version)
    if family is Family.IPV6 and version != _THREE:
        fields.report.value(fields.said["version"], 1, "a version of VRRP for IPv6")
    return version


def _authentication(fields: Fields) -> Authentication | None:
    """The password is opaque where it is not lvsc's placeholder, and no problem quotes or shows it."""
    statement = fields.said.get("authentication")
    if statement is None:
        return None
    problems = fields.report.problems
    inner = Fields(Report(fields.report.host, fields.report.file, []), statement, _AUTHENTICATION)
    kind = _TYPES.get(inner.text("auth_type") or "")
    password = inner.text("auth_pass")
    if inner.report.problems or kind is None or password is None or len(statement.words) > 1:
        problems.append(
            read_codes.VALUE.at(
                statement.place(fields.report.file, 0),
                "an `authentication` block has an `auth_type`, PASS or AH, and an `auth_pass`, each once",
                help="correct it",
            )
        )
        return None
    secret = _SECRET.fullmatch(password)
    if secret is not None:
        return Authentication(
            type=kind, password=SecretRef(SecretSource(secret[1]), secret[2], PASSWORD_LENGTH)
        )
    value = fields.report.secrets.get(inner.said["auth_pass"].line)
    hidden = SecretRef(SecretSource.UNKNOWN, "", PASSWORD_LENGTH, value=value)
    return Authentication(type=kind, password=hidden)


def _deprecated_sync(fields: Fields, name: str, found: Globals) -> None:
    """Connection synchronisation as it was said before keepalived 1.2.20."""
    interface = fields.text("lvs_sync_daemon_interface")
    if interface is None:
        return
    statement = fields.said["lvs_sync_daemon_interface"]
    if found.sync is not None:
        message = "connection synchronisation is said already"
        fields.report.at(read_codes.STRUCTURE, statement, message, advice="remove one of the two")
    else:
        found.sync = Sync(statement, interface, instance=name)
