"""Runs in a guest, as root: uses its kernel as a machine's own, and says whether anything of it is left."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from lvsc.laboratory.kernels import Kernel, running, why_not

SCRIPT = r"""
set -e
[ "$(id -u)" = 0 ] && [ "$(cat /proc/1/comm)" = guest-init ]
echo x >/run/x && echo x >/tmp/x && echo x >/var/lib/x && echo x >/dev/shm/x
for path in /etc/x /usr/x /proc/sys/kernel/hostname /opt/x; do
    if (echo x >$path) 2>/dev/null; then echo "written: $path"; exit 1; fi
done
echo 1 >/proc/sys/net/ipv4/ip_forward
hostname other
modprobe ip_vs
ipvsadm -A -t 192.0.2.1:80 -s rr
ip link add eth9 type dummy
setsid sleep 1000 &
touch asked
until [ -e answer ]; do sleep 0.05; done
exit 3
"""


def state() -> tuple[object, ...]:
    """All of this machine that the script could have changed."""
    table = subprocess.run(["ipvsadm", "-Sn"], capture_output=True, text=True, check=True).stdout
    commands = (path.joinpath("cmdline").read_bytes() for path in Path("/proc").glob("[0-9]*"))
    return (
        table,
        sorted(command for command in commands if command),
        Path("/proc/self/mountinfo").read_text(),
        Path("/proc/sys/net/ipv4/ip_forward").read_text(),
        os.uname().nodename,
        *(
            sorted(Path("/", path).iterdir())
            for path in ("sys/class/net", "run", "tmp", "var/lib", "dev/shm")
        ),
    )


def main() -> None:
    """Go through it: a command that ends, and one that is left while it runs."""
    # A machine's root file system is one to write in; this directory stands for it.
    Path("/run/upper").mkdir()
    Path("/run/work").mkdir()
    options = "lowerdir=/opt,upperdir=/run/upper,workdir=/run/work"
    subprocess.run(["mount", "-t", "overlay", "-o", options, "opt", "/opt"], check=True)
    subprocess.run(["modprobe", "-a", "ip_vs", "dummy"], check=True)
    assert why_not(Kernel.NATIVE) is None, why_not(Kernel.NATIVE)
    before = state()
    for answered in (True, False):
        with tempfile.TemporaryDirectory() as name:
            share = Path(name)
            with running(Kernel.NATIVE, share, ["sh", "-c", SCRIPT]) as guest:
                while not (share / "asked").exists():
                    assert not guest.ended, guest.console() + (share / "stderr").read_text()
                    time.sleep(0.05)
                if answered:
                    (share / "answer").touch()
                    assert guest.wait(60)
                    assert (share / "status").read_text() == "3\n"
        after = state()
        assert before == after, (before, after)
    sys.stdout.write("as it was\n")


main()
