"""What the programs say is taken apart rightly, with programs that say what real ones were seen to say."""

from pathlib import Path

import pytest

from lvsc.checkers import iptables, keepalived, namespace, nft, shell, systemd
from lvsc.checkers.checker import Checker, Complaint, Unjudged
from lvsc.compile import EmittedFile
from lvsc.plugin import Artifact, Line


def file(path: str, text: str = "x") -> EmittedFile:
    return EmittedFile(
        host="a", backend="b", artifact=Artifact(path=path, lines=tuple(map(Line, text.splitlines())))
    )


NFT, KEEPALIVED = "/etc/lvsc/nftables.nft", "/etc/keepalived/keepalived.conf"
#: A checker, a file, how its program ends and what it says, and what that comes to.
Case = tuple[Checker, str, tuple[int, str], list[Complaint]]
CASES: dict[str, Case] = {
    "nft-error": (
        nft.NftLoad(),
        NFT,
        (1, "/t/nftables.nft:3:9-11: Error: syntax error, unexpected x\nnext\n   ^^^\n"),
        [Complaint(3, "syntax error, unexpected x")],
    ),
    "nft-without-a-place": (nft.NftLoad(), NFT, (1, "Error: no\n"), [Complaint(None, "Error: no")]),
    "nft-silent-failure": (nft.NftCheck(), NFT, (1, ""), [Complaint(None, "nft ends with 1")]),
    "iptables-legacy": (
        iptables.LegacyRestore(),
        "/etc/lvsc/iptables.v4",
        (2, "iptables-legacy-restore v1.8.9 (legacy): bad port\nError occurred at line: 4\nTry ...\n"),
        [Complaint(4, "iptables-legacy-restore v1.8.9 (legacy): bad port")],
    ),
    "iptables-nft": (
        iptables.NftRestore(),
        "/etc/lvsc/iptables.v6",
        (1, "ip6tables-nft-restore: line 7 failed\n"),
        [Complaint(7, "ip6tables-nft-restore: line 7 failed")],
    ),
    "iptables-warning-and-0": (
        iptables.NftRestore(),
        "/etc/lvsc/iptables.v4",
        (0, "Warning: Extension ipvs revision 0 not supported, missing kernel module?\n"),
        [Complaint(None, "Warning: Extension ipvs revision 0 not supported, missing kernel module?")],
    ),
    "keepalived-in-spite-of-0": (
        keepalived.KeepalivedTest(),
        KEEPALIVED,
        (0, "ready\n(/t/keepalived.conf: Line 9) invalid number 'x'\n"),
        [Complaint(9, "invalid number 'x'")],
    ),
    "keepalived-harmless": (
        keepalived.KeepalivedTest(),
        KEEPALIVED,
        (
            5,
            "ready\nDisabling track script up since not found/accessible\nTruncating auth_pass to 8 characters\n",
        ),
        [],
    ),
    "dash": (
        shell.ShellSyntax(),
        "/etc/lvsc/a.sh",
        (2, "/t/a.sh: 3: Syntax error: end of file unexpected\n"),
        [Complaint(3, "Syntax error: end of file unexpected")],
    ),
    "bash": (
        shell.ShellSyntax(),
        "/etc/lvsc/a.sh",
        (2, "/t/a.sh: line 3: syntax error\n"),
        [Complaint(3, "syntax error")],
    ),
    "systemd": (
        systemd.SystemdVerify(),
        "/etc/systemd/system/lvsc-a.service",
        (
            1,
            """/t/lvsc-a.service:4: Unknown key name 'X' in section 'Unit', ignoring.
lvsc-a.service: Command /usr/sbin/nft is not executable: No such file or directory
/lib/systemd/system/other.service:8: Unknown key name 'Y'.
""",
        ),
        [Complaint(4, "Unknown key name 'X' in section 'Unit', ignoring.")],
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_a_program_says(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checker, path, done, expected = case
    monkeypatch.setattr(namespace, "run", lambda *_: namespace.Done(*done))
    emitted = file(path)
    assert checker.judges(emitted)
    found = checker.complaints(emitted, tmp_path)
    assert not isinstance(found, Unjudged)
    assert list(found) == expected


@pytest.mark.parametrize(
    ("checker", "path", "done"),
    [
        (nft.NftCheck(), NFT, (1, "netlink: Error: cache initialization failed: Operation not permitted\n")),
        (
            iptables.LegacyRestore(),
            "/etc/lvsc/iptables.v4",
            (
                3,
                "iptables-restore: unable to initialize table 'raw'\ncan't initialize iptables table `raw'\n",
            ),
        ),
        (keepalived.KeepalivedTest(), KEEPALIVED, (2, "RTNETLINK answers: Operation not permitted\n")),
        (keepalived.KeepalivedTest(), KEEPALIVED, (-15, "ready\n")),
    ],
    ids=["nft", "iptables", "interfaces", "signal"],
)
def test_what_this_machine_cannot_do_is_no_complaint_against_the_file(
    checker: Checker, path: str, done: tuple[int, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(namespace, "run", lambda *_: namespace.Done(*done))
    assert isinstance(checker.complaints(file(path), tmp_path), Unjudged)


def test_keepalived_gets_the_interfaces_of_the_file_as_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], _: Path) -> namespace.Done:
        commands.append(command)
        return namespace.Done(0, "ready\n")

    monkeypatch.setattr(namespace, "run", run)
    text = "vrrp_instance a {\n    interface eth0;reboot\n    script_user nobody\n    track_interface {\n        eth7 weight 2\n    }\n}"
    keepalived.KeepalivedTest().complaints(file(KEEPALIVED, text), tmp_path)
    script = commands[0][-1]
    assert "ip link set eth7 up" in script
    assert "ip link set 'eth0;reboot' up" in script
    assert "script_user root" in (tmp_path / "keepalived.conf").read_text(encoding="utf-8")


def test_a_program_that_does_not_end_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespace, "_SECONDS", 0.2)
    done = namespace.run(["sleep", "1000"], tmp_path)
    assert (done.code, done.said) == (1, "sleep did not end within 0.2 seconds")


def test_the_namespace_is_not_this_machines_own(tmp_path: Path) -> None:
    if reason := namespace.why_not():
        pytest.skip(reason)
    done = namespace.run(namespace.within(["sh", "-c", "readlink /proc/self/ns/net"]), tmp_path)
    assert done.said.strip() != str(Path("/proc/self/ns/net").readlink())
