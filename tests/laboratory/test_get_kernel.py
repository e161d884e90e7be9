"""Getting a kernel: what is taken out of its package, and what is said where there is none."""

import bz2
import gzip
import lzma
import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from lvsc.laboratory import get_kernel, initrd

KERNEL = b"\x7fELF" + b"kernel" * 1000 + bytes(20_000) + b"end"


def image(payload: bytes) -> bytes:
    """A bzImage with four sectors of setup, as the boot protocol has it."""
    head = bytearray(5 * 512)
    head[0x1F1] = 4
    struct.pack_into("<II", head, 0x248, 64, len(payload))
    return bytes(head) + bytes(64) + payload + b"what follows"


@pytest.mark.parametrize(
    "compress",
    [lambda data: lzma.compress(data, check=lzma.CHECK_CRC32), gzip.compress, bz2.compress],
    ids=["xz", "gzip", "bzip2"],
)
def test_the_kernel_within_an_image_is_unpacked(tmp_path: Path, compress: object) -> None:
    assert callable(compress)
    # The kernel's build puts the length behind what the compressor made.
    get_kernel.write_kernel(image(compress(KERNEL) + struct.pack("<I", len(KERNEL))), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["vmlinux"]
    assert (tmp_path / "vmlinux").read_bytes() == KERNEL


def test_an_image_that_nothing_here_unpacks_is_kept(tmp_path: Path) -> None:
    whole = image(b"\x02!L\x18lz4")
    get_kernel.write_kernel(whole, tmp_path)
    assert (tmp_path / "vmlinuz").read_bytes() == whole
    assert not (tmp_path / "vmlinux").exists()


def test_zstd_is_undone_by_its_program_or_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("zstd") is None:
        pytest.skip("no zstd: apt-get install zstd")
    data = subprocess.run(["zstd", "-c"], input=KERNEL, capture_output=True, check=True).stdout
    assert initrd.decompressed(data) == KERNEL
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(ValueError, match="apt-get install zstd"):
        initrd.decompressed(data)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("net/netfilter/ipvs/ip_vs_wrr.ko", True),
        ("net/netfilter/nft_nat.ko.xz", True),
        ("net/ipv4/ipip.ko", True),
        ("net/ipv6/ip6_gre.ko", True),
        ("net/sctp/sctp.ko", True),
        ("net/9p/9pnet_virtio.ko", True),
        ("fs/overlayfs/overlay.ko", True),
        ("drivers/net/veth.ko", True),
        ("drivers/net/dummy.ko", True),
        ("drivers/virtio/virtio_pci.ko", True),
        ("crypto/sha1_generic.ko", True),
        ("net/bluetooth/bluetooth.ko", False),
        ("net/mac80211/mac80211.ko", False),
        ("drivers/net/ethernet/intel/e1000/e1000.ko", False),
        ("drivers/gpu/drm/drm.ko", False),
        ("sound/core/snd.ko", False),
        ("fs/xfs/xfs.ko", False),
    ],
)
def test_modules_of_networks_are_kept(path: str, wanted: bool) -> None:
    assert get_kernel.is_wanted(f"lib/modules/6.1.0-test/kernel/{path}") is wanted
    assert get_kernel.is_wanted(f"usr/lib/modules/6.1.0-test/kernel/{path}") is wanted


class TestCommand:
    """What it answers, with programs of our own in the place of apt's."""

    @pytest.fixture(autouse=True)
    def _programs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        if os.uname().machine != "x86_64":
            pytest.skip("only for x86_64")
        if shutil.which("dpkg-deb") is None:
            pytest.skip("no dpkg-deb: this is not Debian")
        programs = tmp_path / "programs"
        programs.mkdir()
        monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        self.programs = programs
        self.program("apt-cache", APT_CACHE)
        self.program("apt-get", f'cp "{tmp_path}"/*.deb .')
        self.program("depmod", 'echo "$*" >$2/depmod')
        self.package(tmp_path, "busybox-static", {"bin/busybox": b"busybox"})
        modules = "lib/modules/6.1.0-test/kernel"
        files = {
            "boot/vmlinuz-6.1.0-test": image(lzma.compress(KERNEL)),
            f"{modules}/net/netfilter/ipvs/ip_vs.ko": b"ip_vs",
            f"{modules}/sound/core/snd.ko": b"snd",
        }
        self.package(tmp_path, "linux-image-6.1.0-test", files)

    def program(self, name: str, script: str) -> None:
        (self.programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.programs / name).chmod(0o755)

    @staticmethod
    def package(directory: Path, name: str, files: dict[str, bytes]) -> None:
        tree = directory / name
        for path, data in files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_bytes(data)
        (tree / "DEBIAN").mkdir()
        control = f"Package: {name}\nVersion: 1\nArchitecture: amd64\nMaintainer: a <a@b>\nDescription: d\n"
        (tree / "DEBIAN" / "control").write_text(control)
        target = directory / f"{name}_1_amd64.deb"
        subprocess.run(["dpkg-deb", "-b", tree, target], capture_output=True, check=True)

    def test_it_leaves_a_kernel_for_everybody_to_read_and_does_so_once(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        directory = tmp_path / "new" / "kernel"
        old = os.umask(0o077)
        try:
            assert get_kernel.main([str(directory)]) == 0
        finally:
            os.umask(old)
        files = {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}
        module = "lib/modules/6.1.0-test/kernel/net/netfilter/ipvs/ip_vs.ko"
        assert files == {"vmlinux", "busybox", "package", "depmod", module}
        assert all(path.stat().st_mode & 0o044 == 0o044 for path in (directory, *directory.rglob("*")))
        assert [path.name for path in directory.parent.iterdir()] == ["kernel"]
        self.program("apt-get", "exit 1")
        assert get_kernel.main([str(directory)]) == 0
        said = capsys.readouterr().out.splitlines()
        assert said == [f"{directory} has linux-image-6.1.0-test=6.1-1 {when}" for when in ("now", "already")]

    def test_a_newer_one_takes_the_place_of_the_former(self, tmp_path: Path) -> None:
        directory = tmp_path / "kernel"
        assert get_kernel.main([str(directory)]) == 0
        (directory / "package").write_text("linux-image-5.10.0-test=5.10-1")
        (directory / "former").touch()
        assert get_kernel.main([str(directory)]) == 0
        assert (directory / "package").read_text() == "linux-image-6.1.0-test=6.1-1"
        assert not (directory / "former").exists()

    def refused(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> str:
        assert get_kernel.main([str(directory)]) == 1
        return capsys.readouterr().err

    def test_a_directory_of_something_else_is_left_alone(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "file").touch()
        said = self.refused(tmp_path / "mine", capsys)
        assert said == f"error: {tmp_path}/mine holds something else; name another directory\n"
        assert [path.name for path in (tmp_path / "mine").iterdir()] == ["file"]

    def test_what_fails_leaves_nothing(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.program("apt-get", "echo 'E: no network' >&2; exit 100")
        said = self.refused(tmp_path / "new" / "kernel", capsys)
        assert said.startswith("error: apt-get ")
        assert said.endswith(": E: no network\n")
        assert not list((tmp_path / "new").iterdir())

    def test_where_apt_knows_no_kernel_it_says_so(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.program("apt-cache", "")
        assert "apt does not know Debian's package linux-image-amd64: apt-get update" in self.refused(
            tmp_path / "new", capsys
        )

    def test_elsewhere_it_says_what_else_can_be_done(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        said = self.refused(tmp_path / "new", capsys)
        assert "no apt-get: this gets Debian's kernel with Debian's tools" in said
        assert "set LVSC_KERNEL" in said


APT_CACHE = """
if [ "$1" = policy ]
then printf '%s:\\n  Installed: (none)\\n  Candidate: 6.1-1\\n' "$2"
else printf 'linux-image-amd64\\n  Depends: linux-image-6.1.0-test\\n'
fi
"""


def test_the_first_file_system_is_an_archive_that_cpio_reads(tmp_path: Path) -> None:
    program = initrd.busybox()
    if program is None:
        pytest.skip("no static busybox: apt-get install busybox-static")
    # virtio_pci is built in.
    needs = {
        "fs/9p/9p": ["net/9p/9pnet", "fs/netfs/netfs"],
        "net/9p/9pnet": [],
        "fs/netfs/netfs": [],
        "net/9p/9pnet_virtio": ["net/9p/9pnet"],
        "fs/overlayfs/overlay": [],
        "net/netfilter/ipvs/ip_vs": [],
    }
    lines = []
    for name, others in needs.items():
        file = tmp_path / "kernel" / f"{name}.ko.xz"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(lzma.compress(name.encode()))
        lines.append(" ".join([f"kernel/{name}.ko.xz:", *(f"kernel/{other}.ko.xz" for other in others)]))
    (tmp_path / "modules.dep").write_text("\n".join(lines))
    (tmp_path / "out").mkdir()
    archive = initrd.initrd(program, tmp_path)
    command = [str(program), "cpio", "-id", "init", "modules/*"]
    subprocess.run(command, cwd=tmp_path / "out", input=archive, capture_output=True, check=True)
    loaded = [path.read_text() for path in sorted((tmp_path / "out" / "modules").iterdir())]
    assert loaded == [
        *("net/9p/9pnet", "net/9p/9pnet_virtio", "fs/netfs/netfs", "fs/9p/9p", "fs/overlayfs/overlay")
    ]
    assert (tmp_path / "out" / "init").read_text().startswith("#!/bin/busybox sh\n")
