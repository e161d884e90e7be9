"""An ipvsadm that keeps the table in a file: what the tests of the loader script run where no kernel has IPVS.

Beside the program stand `table` (the table, with the thresholds), `daemons`, `timeouts` and `log`, to which each change
is appended. The kernel refuses the lines that stand in `refuse`, as it does an unknown scheduler.
"""

# ruff: noqa: T201 - a program prints

import sys
from ipaddress import IPv6Address
from pathlib import Path

from support.ipvsadm_table import (
    Address,
    Command,
    Key,
    Mark,
    RefusedError,
    Server,
    Service,
    Table,
    parse,
    read,
)

OPTIONS = {"tcp": "-t", "udp": "-u", "sctp": "--sctp-service"}


def install(directory: Path) -> None:
    """Put the program and its empty files into a directory."""
    program = directory / "ipvsadm"
    tests = Path(__file__).resolve().parents[1]
    program.write_text(
        f"#!{sys.executable} -IS\nimport sys\nsys.path[:0] = [{str(tests)!r}]\n"
        "from support.fake_ipvsadm import main\nsys.exit(main(sys.argv))\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    for name in ("table", "daemons", "timeouts", "refuse", "log"):
        (directory / name).touch()


def main(argv: list[str]) -> int:
    """Do what ipvsadm does with these arguments."""
    here = Path(argv[0]).parent
    match argv[1:]:
        case ["-Sn"]:
            print(save(_load(here)), end="")
        case ["-Ln", "--thresholds"]:
            print(_listing(_load(here)), end="")
        case ["-R"]:
            return _restore(here)
        case ["-C"]:
            (here / "table").write_text("", encoding="utf-8")
            _log(here, "-C")
        case ["--set", *timeouts] if len(timeouts) == 3:
            (here / "timeouts").write_text(" ".join(timeouts), encoding="utf-8")
        case ["-L", "--daemon"]:
            print(_text(here / "daemons"), end="")
        case ["--start-daemon", state, *options]:
            return _start_daemon(here, state, options)
        case ["--stop-daemon", state]:
            return _stop_daemon(here, state)
        case other:
            print(f"the tests' ipvsadm does not know {other}", file=sys.stderr)
            return 2
    return 0


def save(table: Table, *, thresholds: bool = False) -> str:
    """The table as `ipvsadm -Sn` prints it, backwards, because no order may be relied on."""
    lines = []
    for key, service in reversed(list(table.items())):
        lines.append(f"-A {_name(key)} -s {service.scheduler}{_service_options(service)}")
        for server in reversed(list(service.servers.values())):
            limits = f" -x {server.upper} -y {server.lower}" if thresholds else ""
            lines.append(
                f"-a {_name(key)} -r {_place(server.address, server.port)}{_options(server)}{limits}"
            )
    return "".join(f"{line}\n" for line in lines)


def _service_options(service: Service) -> str:
    options = ""
    if service.timeout is not None:
        options += f" -p {service.timeout}" + (f" -M {service.mask}" if service.mask else "")
    options += f" --pe {service.engine}" if service.engine else ""
    options += " -o" if service.one_packet else ""
    return options + (f" -b {','.join(service.flags)}" if service.flags else "")


def _options(server: Server) -> str:
    options = f" {server.method} -w {server.weight}"
    if server.method == "-i":
        options += f" --tun-type {server.tunnel}"
        options += f" --tun-port {server.tunnel_port}" if server.tunnel_port else ""
        options += f" {server.checksum}" if server.tunnel != "ipip" else ""
    return options


def _listing(table: Table) -> str:
    lines = ["IP Virtual Server version 1.2.1 (size=4096)"]
    lines += [
        "Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn ",
        "  -> RemoteAddress:Port",
    ]
    for key, service in table.items():
        if isinstance(key, Mark):
            lines.append(f"FWM  {key.mark}{' IPv6' if key.version == 6 else ''} {service.scheduler}")
        else:
            lines.append(f"{key.protocol.upper():<4} {_place(key.address, key.port)} {service.scheduler}")
        for server in service.servers.values():
            place = _place(server.address, server.port)
            lines.append(f"  -> {place:<28} {server.upper:<10} {server.lower:<10} 0          0         ")
    return "".join(f"{line}\n" for line in lines)


def _name(key: Key) -> str:
    if isinstance(key, Mark):
        return f"-f {key.mark}{' -6' if key.version == 6 else ''}"
    return f"{OPTIONS[key.protocol]} {_place(key.address, key.port)}"


def _place(address: Address, port: int) -> str:
    """An address and port, IPv6 written as no C library does, because no spelling may be relied on."""
    if isinstance(address, IPv6Address):
        groups = [group.lstrip("0") or "0" for group in address.exploded.split(":")]
        return f"[{':'.join(groups)}]:{port}"
    return f"{address}:{port}"


def _restore(here: Path) -> int:
    table = _load(here)
    refused = set(_text(here / "refuse").splitlines())
    status = 0
    for line in sys.stdin.read().splitlines():
        try:
            command = parse(line)
        except (RefusedError, ValueError) as error:
            print(error, file=sys.stderr)
            status = 2
            break
        complaint = "Scheduler or persistence engine not found" if line in refused else _apply(table, command)
        status = 255 if complaint else 0  # that of the last line, as ipvsadm's is
        if complaint:
            print(complaint, file=sys.stderr)
        else:
            _log(here, line)
    (here / "table").write_text(save(table, thresholds=True), encoding="utf-8")
    return status


def _apply(table: Table, command: Command) -> str | None:
    """Change the table; returns what ipvsadm says where the kernel refuses."""
    there = table.get(command.service.key)
    if command.server is None:
        if command.letter == "A" and there:
            return "Service already exists"
        if command.letter != "A" and not there:
            return "No such service"
        if command.letter == "D":
            del table[command.service.key]
            return None
        command.service.servers = there.servers if there else {}
        table[command.service.key] = command.service
        return None
    if not there:
        return "Service not defined"
    place = (command.server.address, command.server.port)
    if command.letter == "a" and place in there.servers:
        return "Destination already exists"
    if command.letter != "a" and place not in there.servers:
        return "No such destination"
    if command.letter == "d":
        del there.servers[place]
    else:
        there.servers[place] = command.server
    return None


def _start_daemon(here: Path, state: str, options: list[str]) -> int:
    daemons = _text(here / "daemons")
    if f"{state} sync daemon" in daemons:
        print("Daemon has already run", file=sys.stderr)
        return 255
    names = {"--mcast-interface": "mcast", "--sync-maxlen": "maxlen"}
    words = zip(options[::2], options[1::2], strict=True)
    shown = ", ".join(f"{names.get(o, o.removeprefix('--').removeprefix('mcast-'))}={v}" for o, v in words)
    (here / "daemons").write_text(f"{daemons}{state} sync daemon ({shown})\n", encoding="utf-8")
    _log(here, f"--start-daemon {state}")
    return 0


def _stop_daemon(here: Path, state: str) -> int:
    daemons = _text(here / "daemons").splitlines(keepends=True)
    left = [line for line in daemons if not line.startswith(state)]
    if len(left) == len(daemons):
        print("No daemon is running", file=sys.stderr)
        return 255
    (here / "daemons").write_text("".join(left), encoding="utf-8")
    _log(here, f"--stop-daemon {state}")
    return 0


def _load(here: Path) -> Table:
    return read(_text(here / "table"))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _log(here: Path, line: str) -> None:
    with (here / "log").open("a", encoding="utf-8") as log:
        log.write(f"{line}\n")
