"""What lvsc knows about one Linux distribution release."""

from dataclasses import dataclass
from enum import Enum

from lvsc.targets.features import Feature, Program
from lvsc.targets.version import Version


class Init(Enum):
    """The program that starts and orders a host's services."""

    SYSTEMD = "systemd"
    OPENRC = "openrc"


class UnknownProgram(LookupError):  # noqa: N818 - the name says the failure
    """A target names no path for a program."""

    def __init__(self, target: str, program: str) -> None:
        super().__init__(f"target `{target}` has no path for the program `{program}`: it does not ship it")
        self.target = target
        self.program = program


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Files and directories where a distribution's programs look for their settings; all absolute."""

    keepalived_conf: str
    vsftpd_conf: str
    sysctl_d: str
    modules_load_d: str
    modprobe_d: str
    unit_dir: str
    """Where an administrator's own units go: systemd units, or OpenRC scripts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """A distribution's own units, by full systemd unit name or by OpenRC service name."""

    iptables: tuple[str, ...]
    """Units whose start, stop or reload may wipe rules that were added with iptables."""
    nftables: tuple[str, ...]
    """Units whose start, stop or reload may wipe nftables tables that they did not make."""
    keepalived: str | None
    """None where keepalived is not shipped."""
    vsftpd: str | None
    """None where vsftpd is not shipped."""
    ipvsadm: str | None
    """The unit that saves and restores the IPVS table, None where there is none."""
    network_pre: str
    """A packet filter is to be ordered before this unit: no interface is configured until then."""
    network_online: str
    """Interfaces have their addresses once this unit is up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One Linux distribution release: which backends, which program versions, which file paths."""

    name: str
    """The word that selects it in a spec: ``debian12``."""
    title: str
    """The name that people read: ``Debian 12 (bookworm)``."""
    aliases: tuple[str, ...]
    """Other words that select it: its rebuilds, its code name."""
    packet_filter: str
    """The default packet filter backend."""
    director: str
    """The default director backend."""
    init: Init
    versions: tuple[tuple[Program, Version], ...]
    programs: tuple[tuple[str, str], ...]
    paths: Paths
    units: Units
    stated: tuple[tuple[Feature, bool], ...]
    """Features that the distribution's package has or lacks whatever its version says."""
    sources: tuple[str, ...]
    """Where these facts were read."""

    def version(self, program: Program) -> Version | None:
        """Return the version of ``program``, None where the distribution does not ship it."""
        for shipped, version in self.versions:
            if shipped is program:
                return version
        return None

    def program(self, name: str) -> str:
        """Return the absolute path of the program ``name``, such as ``nft``.

        Raises:
            UnknownProgram: the target ships no such program.
        """
        for known, path in self.programs:
            if known == name:
                return path
        raise UnknownProgram(self.name, name)

    def has(self, feature: Feature) -> bool:
        """Tell whether the release has ``feature``: as its data file states, else by the program's version."""
        version = self.version(feature.program)
        if version is None:
            return False
        for stated, present in self.stated:
            if stated is feature:
                return present
        return version >= feature.since
