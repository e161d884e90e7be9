"""Gets a kernel for `lvsc.laboratory.qemu`: `python3 -m lvsc.laboratory.get_kernel [DIRECTORY]`.

It is Debian's stock kernel for this machine, unpacked from its package: nothing is installed, and no root is needed.
Of its modules only what has to do with networks is kept.
"""

import os
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from lvsc.laboratory.initrd import decompressed
from lvsc.laboratory.qemu import cache_directories

_META = "linux-image-amd64"
#: What is kept: IPVS and all around it, the file systems that a guest needs, links, and what any of these may ask for.
_WANTED = re.compile(
    r"""(?:^|/)lib/modules/[^/]+/
    (?: modules\.(?:builtin.*|order)
      | kernel/
        (?: crypto | lib | arch/x86/crypto
          | fs/(?:9p|fscache|netfs|overlayfs|fuse)
          | drivers/(?:virtio|char/hw_random|ptp|pps)
          | net/(?!(?:6lowpan|appletalk|atm|ax25|batman-adv|bluetooth|caif|can|ceph|dccp|dsa|hsr|ieee802154
                     |kcm|lapb|mac80211|mac802154|mctp|mptcp|netrom|nfc|phonet|qrtr|rds|rfkill|rose|rxrpc|smc
                     |sunrpc|tipc|vmw_vsock|wireless|x25)/)[^/]+
          | drivers/net/(?:bonding|ipvlan|macvlan|macvtap|team|vxlan|wireguard)
        )/.*
      | kernel/drivers/net/[^/]+
    )$""",
    re.VERBOSE,
)
#: Where in a bzImage its compressed part is described (Linux: Documentation/arch/x86/boot.rst).
_SETUP_SECTORS, _PAYLOAD = 0x1F1, 0x248
_PAGE = 4096


class GetError(RuntimeError):
    """No kernel could be got; the message says what to do."""


def main(arguments: Sequence[str]) -> int:
    """Get a kernel into a directory, by default where it is found; 0 where that is done."""
    directory = Path(arguments[0]) if arguments else cache_directories(os.environ)[0]
    try:
        said = get(directory)
    except GetError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(f"{said}\n")
    return 0


def get(directory: Path) -> str:
    """Leave the newest kernel in a directory, which must be new, empty or a former kernel's; returns what was done.

    Raises:
        GetError: This is no Debian machine, or something could not be done.
    """
    if os.uname().machine != "x86_64":
        raise GetError("lvsc knows only how to boot a kernel for x86_64")
    for program in ("apt-get", "apt-cache", "dpkg-deb"):
        if shutil.which(program) is None:
            raise GetError(
                f"no {program}: this gets Debian's kernel with Debian's tools; copy the directory from a Debian machine and set "
                "LVSC_KERNEL, or install a kernel with the modules 9p, 9pnet_virtio and ip_vs and leave /boot/vmlinuz-* readable"
            )
    depmod = shutil.which("depmod", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if depmod is None:
        raise GetError("no depmod: apt-get install kmod")
    package = _newest()
    mark = directory / "package"
    if mark.is_file() and mark.read_text(encoding="utf-8") == package:
        return f"{directory} has {package} already"
    if directory.exists() and any(directory.iterdir()) and not mark.is_file():
        raise GetError(f"{directory} holds something else; name another directory")
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".kernel-", dir=directory.parent) as name:
            made = Path(name, "kernel")
            made.mkdir()
            _make(package, depmod, Path(name), made)
            if directory.exists():
                directory.rename(Path(name, "former"))
            made.rename(directory)
    except (OSError, ValueError) as error:
        raise GetError(str(error)) from error
    return f"{directory} has {package} now"


def _newest() -> str:
    """The name and version of the package, `NAME=VERSION`."""
    said = _said("apt-cache", "--no-recommends", "depends", _META)
    found = re.search(r"^\s*Depends: (linux-image-\S+)$", said, re.MULTILINE)
    if found is None:
        raise GetError(f"apt does not know Debian's package {_META}: apt-get update")
    version = re.search(r"^  Candidate: (\S+)$", _said("apt-cache", "policy", found[1]), re.MULTILINE)
    if version is None or version[1] == "(none)":
        raise GetError(f"apt has no {found[1]} to download: apt-get update")
    return f"{found[1]}={version[1]}"


def _make(package: str, depmod: str, work: Path, made: Path) -> None:
    version = package.partition("=")[0].removeprefix("linux-image-")
    # As root, apt would download as a user who may not write here.
    _said("apt-get", "-q", "-o", "APT::Sandbox::User=", "download", package, "busybox-static", directory=work)
    (busybox,) = work.glob("busybox-static_*.deb")
    (image,) = work.glob("linux-image-*.deb")
    for name, data in _members(busybox):
        if name.endswith("bin/busybox"):
            (made / "busybox").write_bytes(data)
    for name, data in _members(image):
        if name == f"boot/vmlinuz-{version}":
            write_kernel(data, made)
        elif is_wanted(name):
            path = made / "lib" / name[name.index("modules/") :]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    _said(depmod, "-b", str(made), version)
    (made / "package").write_text(package, encoding="utf-8")
    for path in (made, *made.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def is_wanted(path: str) -> bool:
    """Whether a file of the package, by its path without a leading slash, is a module that a guest may need."""
    return _WANTED.search(path) is not None


def _members(package: Path) -> Iterator[tuple[str, bytes]]:
    """The regular files of a package, by their paths without the leading `./`."""
    command = ["dpkg-deb", "--fsys-tarfile", str(package)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as unpacked,  # noqa: S603 - a fixed command
        tarfile.open(fileobj=unpacked.stdout, mode="r|") as archive,
    ):
        for member in archive:
            if member.isfile() and (file := archive.extractfile(member)):
                yield member.name.removeprefix("./"), file.read()


def write_kernel(image: bytes, directory: Path) -> None:
    """Write the kernel within a bzImage, which QEMU starts directly, as `vmlinux`; else the image, as `vmlinuz`.

    To decompress it here saves the guest five seconds.
    """
    offset, length = struct.unpack_from("<II", image, _PAYLOAD)
    start = (image[_SETUP_SECTORS] + 1) * 512 + offset
    try:
        kernel = decompressed(image[start : start + length])
    except ValueError:
        kernel = b""
    if not kernel.startswith(b"\x7fELF"):
        (directory / "vmlinuz").write_bytes(image)
        return
    with (directory / "vmlinux").open("wb") as file:
        for position in range(0, len(kernel), _PAGE):
            page = kernel[position : position + _PAGE]
            # Half of it is nothing, which takes no place on the disk.
            file.seek(len(page), os.SEEK_CUR) if page.count(0) == len(page) else file.write(page)
        file.truncate(len(kernel))


def _said(*command: str, directory: Path | None = None) -> str:
    done = subprocess.run(  # noqa: S603 - fixed commands
        command, cwd=directory, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    if done.returncode != 0:
        raise GetError(f"{' '.join(command)}: {done.stderr.strip() or f'exit status {done.returncode}'}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
