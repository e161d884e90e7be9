"""The real keepalived as a judge of configurations: `keepalived -t` in a network namespace of its own."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from lvsc.targets import Version
from support.keepalived_keywords import keywords

#: What keepalived says of a file without anything being wrong with it, and why that is so.
HARMLESS = (
    (
        r"\(\S+\) the first IPv6 VIP address should be link local",
        "RFC 5798 5.2.9; keepalived takes any address",
    ),
    (r"Truncating auth_pass to 8 characters", "the placeholder of a secret is longer than the secret"),
    (
        r"Disabling track script \S+ since not found/accessible",
        "the command is on the director, not on this machine",
    ),
    (
        r"Disabling track script \S+ due to insecure",
        "in an unprivileged user's namespace root's files are nobody's",
    ),
)


def why_not() -> str | None:
    """Why this machine cannot judge, None where it can."""
    if shutil.which("keepalived") is None:
        return "no keepalived: apt-get install keepalived"
    if shutil.which("ip") is None or shutil.which("unshare") is None:
        return "no ip or unshare: apt-get install iproute2 util-linux"
    probe = subprocess.run(["unshare", *_flags(), "true"], capture_output=True, text=True, check=False)
    return None if probe.returncode == 0 else f"no network namespaces: {probe.stderr.strip()}"


def installed() -> Version:
    """The release that judges."""
    said = subprocess.run(["keepalived", "--version"], capture_output=True, text=True, check=True).stderr
    found = re.search(r"Keepalived v([0-9.]+)", said)
    assert found, said
    return Version.parse(found[1])


def complaints(text: str, directory: Path) -> list[str]:
    """What the installed keepalived says of a file, without what is harmless. Skips the test where it cannot be asked.

    Its exit code is not used: it is 0 for some faults and not what the manual says for others.
    """
    if reason := _why_not():
        pytest.skip(reason)
    file = directory / "keepalived.conf"
    file.write_text(_SCRIPT_USER.sub(r"\1root", text), encoding="ascii")
    file.chmod(0o600)
    links = "".join(
        f"ip link add {name} type veth peer name peer{number}\nip link set {name} up\n"
        for number, name in enumerate(interfaces(text))
    )
    done = subprocess.run(
        [
            "unshare",
            *_flags(),
            "sh",
            "-euc",
            f"{links}echo judged; keepalived -t -f {file} || [ $? -lt 128 ]",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "judged\n", done
    said = [line for line in done.stderr.splitlines() if line.strip()]
    return [line for line in said if not any(re.search(harmless, line) for harmless, _ in HARMLESS)]


def interfaces(text: str) -> list[str]:
    """The interfaces that a file names, without which keepalived complains."""
    found = set()
    for keyword in keywords(text):
        if keyword.path[-1] in ("interface", "lvs_sync_daemon"):
            found.add(keyword.values[0])
    for block in re.findall(r"track_interface \{\n(.*?)\}", text, re.DOTALL):
        found.update(block.split())
    found.update(re.findall(r" dev (\S+)$", text, re.MULTILINE))
    return sorted(found)


_why_not = cache(why_not)

#: The director's user need not be on this machine. Nor does `-t` of 2.2.7 get over one who is: when it looks at a script as
#: another user than root, it takes its parent for dead and ends itself by SIGTERM (lib/notify.c, check_script_secure).
_SCRIPT_USER = re.compile(r"^( *script_user )\S+$", re.MULTILINE)


def _flags() -> list[str]:
    """As an ordinary user, a user namespace makes the network namespace possible."""
    return ["-n"] if os.geteuid() == 0 else ["-rn"]
