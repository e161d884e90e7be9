import subprocess
from dataclasses import replace
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from lvsc.plugin import AddressRole, Node, Target

from .conftest import Emit, Make, Run

SHELLS = ["dash", "bash --posix", "busybox sh"]
APPLETS = ["cat", "grep", "ip", "mkdir", "mv", "rm", "sh", "sort", "touch"]


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    shell: str = request.param
    if which(shell.split(maxsplit=1)[0]) is None:
        pytest.skip(f"no {shell.split(maxsplit=1)[0]}")
    return shell


def table(text: str) -> list[str]:
    """The things that a script wants, one a line."""
    return text.partition("<<'END'\n")[2].partition("END\n")[0].splitlines()


def test_wanted_things_stand_in_a_table(emit: Emit, make: Make) -> None:
    script = emit(
        make.address("10.0.0.80/32"),
        make.address("fd00:a::80/128"),
        make.address("192.0.2.10/24", "eth0"),
        make.tunnel("ipip"),
    ).artifacts[0]
    assert (script.path, script.mode) == ("/etc/lvsc/addresses.sh", 0o644)
    assert script.text.startswith(f"{make.header}\n")
    assert table(script.text) == [
        "device tunl0",
        "address 192.0.2.10/24 eth0",
        "address 10.0.0.80/32 lo",
        "address fd00:a::80/128 lo",
    ]
    wanted = [line for line in script.lines if line.origin is not None]
    assert [line.text for line in wanted] == table(script.text)


def test_one_address_in_two_roles_is_added_once(emit: Emit, make: Make) -> None:
    script = emit(
        make.address("192.0.2.10/24", "eth0", AddressRole.SERVED),
        make.address("192.0.2.10/24", "eth0", AddressRole.GATEWAY),
    ).artifacts[0]
    assert table(script.text) == ["address 192.0.2.10/24 eth0"]


def write(tmp_path: Path, name: str, emit: Emit, *nodes: Node, target: Target | None = None) -> None:
    emission = emit(*nodes) if target is None else emit(*nodes, target=target)
    (tmp_path / name).write_text(emission.artifacts[0].text)


LINKS = """
ip link add eth0.5 type veth peer name peer
ip link set eth0.5 up
ip link set peer up
show() {
    echo state
    ip -o addr show scope global | while read -r _ name _ address _; do echo "$address $name"; done | sort
}
"""


def states(output: str) -> list[list[str]]:
    """The addresses that each `show` printed."""
    return [block.splitlines() for block in output.split("state\n")[1:]]


def test_addresses_come_change_and_go_and_others_stay(
    shell: str, emit: Emit, make: Make, namespace: Run, tmp_path: Path
) -> None:
    write(
        tmp_path,
        "first.sh",
        emit,
        make.address("10.0.0.80/32"),
        make.address("fd00:a::80/128"),
        make.address("2001:db8:0:1:1:1:1:1/128"),
        make.address("192.0.2.10/24", "eth0.5"),
    )
    write(tmp_path, "second.sh", emit, make.address("10.0.0.80/32"), make.address("192.0.2.11/24", "eth0.5"))
    ran = namespace(
        f"""{LINKS}
        ip addr add 198.51.100.1/32 dev lo
        ip addr add 192.0.2.2/24 dev eth0.5
        show
        {shell} first.sh start; show
        {shell} first.sh start; show
        {shell} second.sh start; show
        {shell} second.sh stop; show
        {shell} second.sh stop; show
        ls /run/lvsc
        """
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    others = ["192.0.2.2/24 eth0.5", "198.51.100.1/32 lo"]
    first = [
        "10.0.0.80/32 lo",
        "192.0.2.10/24 eth0.5",
        "2001:db8:0:1:1:1:1:1/128 lo",
        "fd00:a::80/128 lo",
    ]
    second = ["10.0.0.80/32 lo", "192.0.2.11/24 eth0.5"]
    assert states(ran.stdout) == [
        others,
        sorted(first + others),
        sorted(first + others),
        sorted(second + others),
        others,
        others,
    ]


def test_an_address_that_was_there_before_stays_when_the_script_stops(
    shell: str, emit: Emit, make: Make, namespace: Run, tmp_path: Path
) -> None:
    write(
        tmp_path, "addresses.sh", emit, make.address("192.0.2.2/24", "eth0.5"), make.address("10.0.0.80/32")
    )
    ran = namespace(
        f"""{LINKS}
        ip addr add 192.0.2.2/24 dev eth0.5
        {shell} addresses.sh start; {shell} addresses.sh start; show
        {shell} addresses.sh stop; show
        """
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert states(ran.stdout) == [["10.0.0.80/32 lo", "192.0.2.2/24 eth0.5"], ["192.0.2.2/24 eth0.5"]]


def test_removing_the_first_address_of_a_network_keeps_the_others(
    shell: str, emit: Emit, make: Make, namespace: Run, tmp_path: Path
) -> None:
    write(tmp_path, "addresses.sh", emit, make.address("192.0.2.10/24", "eth0.5"))
    ran = namespace(
        f"""{LINKS}
        echo 0 >/proc/sys/net/ipv4/conf/eth0.5/promote_secondaries
        {shell} addresses.sh start
        ip addr add 192.0.2.99/24 dev eth0.5
        {shell} addresses.sh stop; show
        """
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert states(ran.stdout) == [["192.0.2.99/24 eth0.5"]]


def test_an_address_that_somebody_took_away_comes_back_and_is_still_ours(
    shell: str, emit: Emit, make: Make, namespace: Run, tmp_path: Path
) -> None:
    write(tmp_path, "addresses.sh", emit, make.address("10.0.0.80/32"))
    ran = namespace(
        f"""{LINKS}
        {shell} addresses.sh start
        ip addr del 10.0.0.80/32 dev lo
        {shell} addresses.sh start; show
        cat /run/lvsc/addresses
        {shell} addresses.sh start; {shell} addresses.sh stop
        ip -o addr show to 10.0.0.80
        """
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert states(ran.stdout) == [["10.0.0.80/32 lo", "address 10.0.0.80/32 lo", "address 10.0.0.80/32 lo"]]


def test_a_missing_interface_is_an_error_that_names_it_and_the_rest_is_done(
    shell: str, emit: Emit, make: Make, namespace: Run, tmp_path: Path
) -> None:
    write(tmp_path, "addresses.sh", emit, make.address("192.0.2.10/24", "eth9"), make.address("10.0.0.80/32"))
    ran = namespace(f"{LINKS} {shell} addresses.sh start && exit 9; show; {shell} addresses.sh stop")
    assert ran.returncode == 0
    assert "addresses.sh: cannot add address 192.0.2.10/24 on eth9\n" in ran.stderr
    assert states(ran.stdout) == [["10.0.0.80/32 lo"]]


def test_an_interface_that_is_gone_does_not_hinder_stopping(
    shell: str, emit: Emit, make: Make, namespace: Run, tmp_path: Path
) -> None:
    write(
        tmp_path, "addresses.sh", emit, make.address("192.0.2.10/24", "eth0.5"), make.address("10.0.0.80/32")
    )
    ran = namespace(
        f"{LINKS} {shell} addresses.sh start; ip link del eth0.5; {shell} addresses.sh stop; show"
    )
    assert (ran.returncode, ran.stderr, states(ran.stdout)) == (0, "", [[]])


def test_only_a_served_ipv6_address_is_never_chosen_as_a_source(
    shell: str, emit: Emit, make: Make, namespace: Run, tmp_path: Path
) -> None:
    write(
        tmp_path,
        "addresses.sh",
        emit,
        make.address("fd00:a::80/64", "eth0.5"),
        make.address("192.0.2.10/24", "eth0.5"),
        make.address("fd00:a::81/128"),
    )
    ran = namespace(
        f"{LINKS} {shell} addresses.sh start; {shell} addresses.sh start; ip -o addr show deprecated"
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert [line.split()[3] for line in ran.stdout.splitlines()] == ["fd00:a::80/64"]


def test_an_ipv6_address_on_loopback_is_usable_at_once(
    emit: Emit, make: Make, namespace: Run, tmp_path: Path
) -> None:
    write(tmp_path, "addresses.sh", emit, make.address("fd00:a::80/128"))
    ran = namespace("sh addresses.sh start; ip -o addr show to fd00:a::80")
    assert "fd00:a::80/128" in ran.stdout
    assert "tentative" not in ran.stdout


@pytest.fixture
def busybox(tmp_path: Path, alpine: Target) -> Target:
    """Alpine as it is without further packages, its programs in `bin` of the test's directory."""
    program = which("busybox")
    if program is None:
        pytest.skip("no busybox: apt-get install busybox-static")
    (tmp_path / "bin").mkdir()
    for applet in APPLETS:
        (tmp_path / "bin" / applet).symlink_to(program)
    programs = {**dict(alpine.programs), "ip": str(tmp_path / "bin/ip")}
    return replace(alpine, programs=tuple(programs.items()))


def test_busybox_alone_is_enough_for_addresses(
    emit: Emit, make: Make, namespace: Run, tmp_path: Path, busybox: Target
) -> None:
    target = busybox
    write(
        tmp_path, "first.sh", emit, make.address("10.0.0.80/32"), make.address("fd00::80/128"), target=target
    )
    write(
        tmp_path,
        "second.sh",
        emit,
        make.address("192.0.2.10/24", "eth0.5"),
        make.address("fd00::10/64", "eth0.5"),
        target=target,
    )
    ran = namespace(
        f"""{LINKS}
        run() {{ env -i PATH={tmp_path}/bin sh "$@"; }}
        run first.sh start; run first.sh start; show
        run second.sh start; run second.sh start; show
        run second.sh stop; show
        """
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert states(ran.stdout) == [
        ["10.0.0.80/32 lo", "fd00::80/128 lo"],
        ["192.0.2.10/24 eth0.5", "fd00::10/64 eth0.5"],
        [],
    ]


@pytest.mark.parametrize(
    ("needed", "tunnel"),
    [
        (False, {"kind": "ipip"}),
        (False, {"kind": "gre", "inner": 6, "outer": 6}),
        (True, {"kind": "ipip", "outer": 6}),
        (True, {"kind": "gre", "local": "10.0.0.2"}),
        (True, {"kind": "gue", "port": 5555}),
        (True, {"kind": "gue", "inner": 6, "outer": 6, "port": 5555}),
    ],
    ids=str,
)
def test_what_busybox_cannot_do_asks_for_iproute2(
    *,
    needed: bool,
    tunnel: dict[str, Any],
    emit: Emit,
    make: Make,
    namespace: Run,
    tmp_path: Path,
    busybox: Target,
) -> None:
    address = make.address("10.0.0.80/32")
    write(tmp_path, "addresses.sh", emit, make.tunnel(**tunnel), address, target=busybox)
    ran = namespace(
        f"env -i PATH={tmp_path}/bin sh addresses.sh start || echo $?; ip -o addr show to 10.0.0.80"
    )
    (said,) = ran.stderr.splitlines()[-1:]
    # Without the modules no tunnel comes up here.
    assert ("install iproute2 (apk add iproute2)" if needed else "cannot add device") in said
    assert ran.stdout.startswith("1\n")
    assert ("10.0.0.80/32" in ran.stdout) is not needed


def test_another_word_than_start_and_stop_is_refused(
    shell: str, emit: Emit, make: Make, tmp_path: Path
) -> None:
    write(tmp_path, "addresses.sh", emit, make.address("10.0.0.80/32"))
    for arguments in ([], ["reload"], ["there"]):
        ran = subprocess.run(
            [*shell.split(), "addresses.sh", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", "usage: addresses.sh start|stop\n")


def test_many_addresses_are_added_and_kept(emit: Emit, make: Make, namespace: Run, tmp_path: Path) -> None:
    count = 200
    write(
        tmp_path, "addresses.sh", emit, *(make.address(f"10.{n >> 8}.{n & 255}.1/32") for n in range(count))
    )
    ran = namespace("sh addresses.sh start; sh addresses.sh start; ip -o addr show to 10.0.0.0/8 | wc -l")
    assert (ran.returncode, ran.stdout.strip(), ran.stderr) == (0, str(count), "")
