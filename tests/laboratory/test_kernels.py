"""The machine under a laboratory: a kernel that boots, talks while it runs, and is gone afterwards."""

import os
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from lvsc.laboratory import guest, native, qemu, uml
from lvsc.laboratory.kernels import GuestError, Kernel, nftables, running, why_not

ROOT = Path(__file__).parents[2]
KERNELS = pytest.mark.parametrize("kernel", Kernel, ids=lambda kernel: kernel.value)
#: What a slow and busy machine may take, in seconds.
LIMIT = 300

#: Says what there is, one fact a line, and waits for an answer.
SCRIPT = r"""
echo "user $(id -u)"
echo "first argument $0"
for directory in /run /tmp /var/lib /var/log /var/tmp; do
    echo x >$directory/lvsc-was-here && echo "own $directory"
done
[ "$KERNEL" = native ] || mount -o remount,rw /
echo x >/etc/lvsc-was-here || echo "no writing in /etc"
for module in ip_vs ip_vs_wrr ip_vs_ftp veth dummy; do modprobe $module && /sbin/modprobe $module && echo "module $module"; done
ipvsadm -A -t 192.0.2.1:80 -s rr && ipvsadm -Sn
iptables-legacy -t mangle -A PREROUTING -j MARK --set-mark 1 && echo "iptables-legacy"
nft add table inet x 2>/dev/null && echo "nft inet"
iptables-nft -t mangle -A PREROUTING -j MARK --set-mark 1 2>/dev/null && echo "iptables-nft"
ip -brief link show lo | sed 's/ \+/ /g'
ip link add eth9 type dummy
ls /sys/class/net | grep -E 'eth9|lo'
echo question >asked.new
mv asked.new asked
until [ -e answer ]; do sleep 0.05; done
cat answer
echo "trouble" >&2
exit 3
"""


@pytest.fixture
def share() -> Iterator[Path]:
    """A directory that `nobody` reaches, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="share-", dir="/tmp") as name:
        yield Path(name)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where guests keep their files: each process of one names it on its command line."""
    with tempfile.TemporaryDirectory(prefix="place-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


def needs(kernel: Kernel) -> None:
    if reason := why_not(kernel):
        pytest.skip(reason)


def processes(place: Path) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(place).encode() in (path / "cmdline").read_bytes():
                found.append(path.name)
    return found


def until(condition: Callable[[], object]) -> bool:
    end = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def put(share: Path, name: str, text: str) -> None:
    part = share / f"{name}.part"
    part.write_text(text, encoding="utf-8")
    part.chmod(0o644)
    part.rename(share / name)


def forked(function: Callable[[], str]) -> tuple[int, int]:
    """A process that does something, and where what it then says, or how it failed, can be read."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return child, reader
    try:
        said = function()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent judges it
        said = f"{error!r}"
    os.write(writer, said.encode())
    os._exit(0)


def become_nobody() -> None:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)


@pytest.mark.kernel
@KERNELS
def test_a_kernel_runs_a_command_as_root_over_this_machines_files_and_talks_with_it(
    kernel: Kernel, share: Path, place: Path
) -> None:
    needs(kernel)
    with running(kernel, share, ["sh", "-c", SCRIPT, "a 'b' $c"]) as machine:
        assert until(lambda: (share / "asked").exists() or machine.ended), machine.console()
        assert (share / "asked").read_text() == "question\n"
        put(share, "answer", "answered\n")
        assert machine.wait(LIMIT), machine.console()
        assert machine.ended
    assert not processes(place)
    assert not list(place.iterdir())
    status, stdout, stderr = ((share / name).read_text() for name in ("status", "stdout", "stderr"))
    assert status == "3\n", stderr
    places = ("etc", "run", "tmp", "var/lib", "var/log", "var/tmp")
    assert [place for place in places if Path("/", place, "lvsc-was-here").exists()] == []
    assert stderr.splitlines()[-1] == "trouble"
    nft = ["nft inet", "iptables-nft"] if nftables(kernel) else []
    assert stdout.splitlines() == [
        "user 0",
        "first argument a 'b' $c",
        *("own /run", "own /tmp", "own /var/lib", "own /var/log", "own /var/tmp", "no writing in /etc"),
        *("module ip_vs", "module ip_vs_wrr", "module ip_vs_ftp", "module veth", "module dummy"),
        "-A -t 192.0.2.1:80 -s rr",
        *("iptables-legacy", *nft),
        "lo UNKNOWN 00:00:00:00:00:00 <LOOPBACK,UP,LOWER_UP> ",
        *("eth9", "lo"),
        "answered",
    ]


@pytest.mark.kernel
@KERNELS
@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt, SystemExit])
def test_leaving_ends_a_guest_that_is_not_done(
    kernel: Kernel, error: type[BaseException] | None, share: Path, place: Path
) -> None:
    needs(kernel)
    with suppress(error or GuestError), running(kernel, share, ["sleep", "1000"]) as machine:
        assert not machine.wait(0.2)
        assert processes(place)
        if error:
            raise error
    assert machine.ended
    assert not processes(place)
    assert not list(place.iterdir())


@pytest.mark.kernel
@KERNELS
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_killed_process_takes_its_guest_along(
    kernel: Kernel, number: signal.Signals, share: Path, place: Path
) -> None:
    needs(kernel)

    def run() -> str:
        with running(kernel, share, ["sh", "-c", "setsid sleep 1000 & touch up; sleep 1000"]):
            time.sleep(LIMIT)
        return "too late"

    child, reader = forked(run)
    try:
        # To wait for a whole boot of QEMU's would show nothing more.
        assert until(lambda: processes(place) if kernel is Kernel.QEMU else (share / "up").exists())
    finally:
        os.kill(child, number)
        os.waitpid(child, 0)
        os.close(reader)
    assert until(lambda: not processes(place))


@pytest.mark.kernel
@pytest.mark.parametrize("kernel", [Kernel.UML, Kernel.QEMU], ids=lambda kernel: kernel.value)
def test_an_ordinary_user_boots_a_kernel(kernel: Kernel) -> None:
    if os.geteuid() != 0:
        pytest.skip("this is an ordinary user; the other tests show it")
    needs(kernel)
    if not guest.readable(guest.BOOT / "mounts"):
        pytest.skip(f"`nobody` may not read {guest.BOOT}")

    def run() -> str:
        become_nobody()
        with tempfile.TemporaryDirectory(prefix="share-", dir="/tmp") as name:
            with running(
                kernel, Path(name), ["sh", "-c", "id -u; modprobe ip_vs && cat /proc/net/ip_vs"]
            ) as machine:
                machine.wait(LIMIT)
                console = machine.console()
            files = [Path(name, each) for each in ("status", "stdout")]
            return " ".join(file.read_text() for file in files) if files[0].exists() else console

    child, reader = forked(run)
    with os.fdopen(reader, encoding="utf-8") as said:
        assert said.read().startswith("0\n 0\nIP Virtual Server version")
    os.waitpid(child, 0)


@pytest.mark.kernel
def test_this_machines_own_kernel_serves_in_namespaces_and_is_left_as_it_was(share: Path) -> None:
    """In a guest, whose own kernel has IPVS and whose root is free to try."""
    needs(Kernel.UML)
    if not guest.readable(guest.BOOT / "mounts"):
        pytest.skip(f"the guest may not read {guest.BOOT}")
    if ROOT.parts[1] in ("tmp", "var", "run"):
        pytest.skip(f"the guest does not see {ROOT}: it has a /tmp, /var and /run of its own")
    shutil.copy(Path(__file__).with_name("native_try.py"), share)
    with running(
        Kernel.UML, share, ["/usr/bin/python3", "-B", "native_try.py", str(ROOT / "compiler")]
    ) as machine:
        assert machine.wait(LIMIT), machine.console()
    said = {name: (share / name).read_text() for name in ("status", "stdout", "stderr")}
    assert said == {"status": "0\n", "stdout": "as it was\n", "stderr": ""}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's guests run as somebody else")
@pytest.mark.parametrize("kernel", [Kernel.UML, Kernel.QEMU], ids=lambda kernel: kernel.value)
def test_a_share_that_the_guests_user_does_not_reach_is_refused(kernel: Kernel, share: Path) -> None:
    needs(kernel)
    (share / "inner").mkdir()
    share.chmod(0o700)
    with (
        pytest.raises(GuestError, match=f"`nobody`, who runs the guest, may not enter `{share}`; set TMPDIR"),
        running(kernel, share / "inner", ["true"]),
    ):
        pass


def test_a_share_whose_name_a_mount_would_misread_is_refused(share: Path) -> None:
    odd = share / "a,upperdir=b"
    odd.mkdir()
    with (
        pytest.raises(GuestError, match="holds ',', which a guest's mount does not take"),
        guest.boot_directory(odd),
    ):
        pass


def test_a_kernel_that_is_not_here_is_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, share: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name, path=None: path)
    why_not.cache_clear()
    try:
        with (
            pytest.raises(GuestError, match="apt-get install user-mode-linux"),
            running(Kernel.UML, share, ["true"]),
        ):
            pass
    finally:
        why_not.cache_clear()


def test_each_kernel_says_why_it_is_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert native.why_not() == "this machine's own kernel gives IPVS to root alone: become root"
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert uml.why_not() == "no User Mode Linux: apt-get install user-mode-linux"
    assert qemu.why_not() == "no QEMU: apt-get install qemu-system-x86"


class TestImage:
    """Which kernel QEMU boots."""

    @pytest.fixture(autouse=True)
    def _user(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)

    @staticmethod
    def kernel(directory: Path, name: str = "vmlinux", lacking: str = "") -> Path:
        modules = directory / "lib" / "modules" / "6.1.0-test"
        modules.mkdir(parents=True)
        (directory / name).touch()
        (directory / "busybox").touch()
        names = {"net/9p/9pnet_virtio", "net/netfilter/ipvs/ip_vs", "fs/overlayfs/overlay"} - {lacking}
        (modules / "modules.dep").write_text("".join(f"kernel/{name}.ko.xz: kernel/a.ko\n" for name in names))
        (modules / "modules.builtin").write_text("kernel/fs/9p/9p.ko\nkernel/drivers/virtio/virtio_pci.ko\n")
        return directory

    @pytest.mark.parametrize("name", ["vmlinux", "vmlinuz"])
    def test_the_one_that_the_environment_names(self, tmp_path: Path, name: str) -> None:
        directory = self.kernel(tmp_path / "kernel", name)
        found = qemu.image({"LVSC_KERNEL": str(directory)})
        modules = directory / "lib" / "modules" / "6.1.0-test"
        assert found == qemu.Image(directory / name, modules, directory / "busybox")

    def test_else_the_one_in_the_users_cache(self, tmp_path: Path) -> None:
        directory = self.kernel(tmp_path / ".cache" / "lvsc" / "kernel")
        for environment in (
            {"HOME": str(tmp_path)},
            {"XDG_CACHE_HOME": str(tmp_path / ".cache"), "HOME": "/"},
        ):
            found = qemu.image(environment)
            assert isinstance(found, qemu.Image)
            assert found.kernel == directory / "vmlinux"

    @pytest.mark.parametrize("lacking", ["net/9p/9pnet_virtio", "net/netfilter/ipvs/ip_vs"])
    def test_never_one_without_what_a_guest_needs(self, tmp_path: Path, lacking: str) -> None:
        directory = self.kernel(tmp_path / "my kernel", lacking=lacking)
        why = qemu.image({"LVSC_KERNEL": str(directory)})
        command = f"{shlex.quote(sys.executable)} -m lvsc.laboratory.get_kernel"
        assert why == f"no kernel in $LVSC_KERNEL that may be read and is whole: {command} '{directory}'"
