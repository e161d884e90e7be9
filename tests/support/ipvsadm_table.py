"""A strict reader of what `ipvsadm -R` reads, written from ipvsadm(8) and not from what lvsc emits."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address

Address = IPv4Address | IPv6Address
SCHEDULERS = frozenset(
    ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos"]
)
FLAGS = frozenset(["flag-1", "flag-2", "flag-3", "sh-fallback", "sh-port", "mh-fallback", "mh-port"])
PROTOCOLS = {"-t": "tcp", "-u": "udp", "--sctp-service": "sctp"}
METHODS = frozenset({"-g", "-i", "-m"})
LONGEST = 31 * 86400


class RefusedError(ValueError):
    """ipvsadm would not parse this line."""


@dataclass(frozen=True)
class Mark:
    mark: int
    version: int


@dataclass(frozen=True)
class Listener:
    protocol: str
    address: Address
    port: int

    @property
    def version(self) -> int:
        return self.address.version


Key = Mark | Listener


@dataclass(frozen=True)
class Server:
    address: Address
    port: int
    method: str = "-g"
    weight: int = 1
    upper: int = 0
    lower: int = 0
    tunnel: str = "ipip"
    tunnel_port: int | None = None
    checksum: str = "--tun-nocsum"


@dataclass
class Service:
    key: Key
    scheduler: str = "wlc"
    timeout: int | None = None
    mask: str = ""
    engine: str | None = None
    one_packet: bool = False
    flags: tuple[str, ...] = ()
    servers: dict[tuple[Address, int], Server] = field(default_factory=dict)


@dataclass(frozen=True)
class Command:
    """A line: its letter, the service with its options, and the server of a lower-case letter."""

    letter: str
    service: Service
    server: Server | None


Table = dict[Key, Service]


def read(text: str) -> Table:
    """The table that restoring `text` into an empty kernel gives."""
    table: Table = {}
    for line in text.splitlines():
        command = parse(line)
        if command.letter == "A" and command.service.key not in table:
            table[command.service.key] = command.service
        elif command.letter == "a" and command.server is not None:
            place = (command.server.address, command.server.port)
            servers = table[command.service.key].servers
            if place in servers:
                raise RefusedError(f"destination already exists: {line}")
            servers[place] = command.server
        else:
            raise RefusedError(f"not what builds a table: {line}")
    return table


def parse(line: str) -> Command:
    """Take one line apart; the command must stand first, and -6 after the mark (ipvsadm(8))."""
    words = iter(line.split())
    command = next(words, "")
    if command not in ("-A", "-E", "-D", "-a", "-e", "-d"):
        raise RefusedError(f"no command: {line!r}")
    service, rest = _service_key(words)
    server = None
    if command in ("-A", "-E"):
        _service_options(service, rest)
    elif command in ("-a", "-e", "-d"):
        server = _server(service, rest, removal=command == "-d")
    elif rest:
        raise RefusedError(f"too much: {line}")
    return Command(command[1], service, server)


def _service_key(words: Iterator[str]) -> tuple[Service, list[str]]:
    kind, name = next(words, ""), next(words, "")
    rest = list(words)
    if kind == "-f":
        version = 4
        if rest[:1] == ["-6"]:
            version = 6
            rest = rest[1:]
        return Service(Mark(_number(name, 1, 2**31 - 1), version)), rest
    if kind not in PROTOCOLS:
        raise RefusedError(f"no service: {kind} {name}")
    return Service(Listener(PROTOCOLS[kind], *_place(name))), rest


def _place(text: str) -> tuple[Address, int]:
    host, _, port = text.rpartition(":")
    if host.startswith("["):
        if not host.endswith("]"):
            raise RefusedError(f"no address: {text}")
        return IPv6Address(host[1:-1]), _number(port, 0, 65535)
    return IPv4Address(host), _number(port, 0, 65535)


def _number(text: str, first: int, last: int) -> int:
    if not text.isdecimal() or not first <= int(text) <= last:
        raise RefusedError(f"not a number from {first} to {last}: {text!r}")
    return int(text)


def _options(words: list[str], plain: frozenset[str], valued: frozenset[str]) -> Iterator[tuple[str, str]]:
    seen = set()
    rest = iter(words)
    for word in rest:
        if word in seen:
            raise RefusedError(f"multiple {word}")
        seen.add(word)
        if word in plain:
            yield word, ""
        elif word in valued:
            yield word, next(rest, "")
        else:
            raise RefusedError(f"unknown option {word!r}")


def _service_options(service: Service, words: list[str]) -> None:
    version = service.key.version
    for option, value in _options(words, frozenset({"-o"}), frozenset({"-s", "-p", "-M", "--pe", "-b"})):
        if option == "-s" and value in SCHEDULERS:
            service.scheduler = value
        elif option == "-p":
            service.timeout = _number(value, 1, LONGEST)
        elif option == "-M":
            service.mask = str(IPv4Address(value)) if version == 4 else str(_number(value, 1, 128))
        elif option == "--pe" and value == "sip":
            service.engine = value
        elif option == "-b" and set(value.split(",")) <= FLAGS:
            service.flags = tuple(value.split(","))
        elif option == "-o":
            service.one_packet = True
        else:
            raise RefusedError(f"bad value of {option}: {value!r}")
    for flag in service.flags:
        if flag.partition("-")[0] not in ("flag", service.scheduler):
            raise RefusedError(f"incompatible scheduler flag {flag}")
    if isinstance(service.key, Listener):
        if service.key.port == 0 and service.timeout is None:
            raise RefusedError("zero port specified for non-persistent service")
        if service.one_packet and service.key.protocol != "udp":
            raise RefusedError("one-packet scheduling is only for UDP virtual services")


def _server(service: Service, words: list[str], *, removal: bool) -> Server:
    if words[:1] != ["-r"] or (removal and len(words) != 2):
        raise RefusedError(f"no server: {words}")
    address, port = _place(words[1])
    method, weight, upper, lower = "-g", 1, 0, 0
    tunnel, tunnel_port, checksum = "ipip", None, ""
    plain = METHODS | {"--tun-nocsum", "--tun-csum", "--tun-remcsum"}
    for option, value in _options(
        words[2:], plain, frozenset({"-w", "-x", "-y", "--tun-type", "--tun-port"})
    ):
        if option in METHODS:
            method = option
        elif option == "-w":
            weight = _number(value, 0, 65535)
        elif option == "-x":
            upper = _number(value, 0, 2**31 - 1)
        elif option == "-y":
            lower = _number(value, 0, 2**31 - 1)
        elif option == "--tun-type" and value in ("ipip", "gue", "gre"):
            tunnel = value
        elif option == "--tun-port":
            tunnel_port = _number(value, 1, 65535)
        elif option.startswith("--tun-") and not value:
            checksum = option
        else:
            raise RefusedError(f"bad value of {option}: {value!r}")
    if (tunnel_port is not None) != (tunnel == "gue"):
        raise RefusedError("a tunnel port goes with gue, and gue with a port")
    if checksum and (tunnel == "ipip" or (tunnel == "gre" and checksum == "--tun-remcsum")):
        raise RefusedError(f"illegal {checksum} with {tunnel}")
    if method != "-i" and (tunnel != "ipip" or checksum):
        raise RefusedError("tunnel options conflict with forward method")
    if not removal:
        if address.version != service.key.version and method != "-i":
            raise RefusedError("different address family is allowed only for tunneling servers")
        if isinstance(service.key, Listener) and method != "-m":
            port = service.key.port
    return Server(
        address=ip_address(address),
        port=port,
        method=method,
        weight=weight,
        upper=upper,
        lower=lower,
        tunnel=tunnel,
        tunnel_port=tunnel_port,
        checksum=checksum or "--tun-nocsum",
    )
