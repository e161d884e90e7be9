"""A running guest: what was started, ended with everything in it when nobody needs it any more."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

#: Data files of guests: the first process, and what a kernel needs to run at all.
BOOT = Path(__file__).resolve().parent / "boot"
#: What a guest's first process runs.
SCRIPTS = ("guest-init", "mounts")

#: Waits in the guest's process group for the end of its standard input, which only the starting process holds open:
#: so even a killed lvsc takes its guest along. The group's first process becomes the guest itself.
_WATCHED = 'exec 3<&0; (read -r _ <&3; kill -KILL 0) & exec 3<&- "$@" </dev/null'


class GuestError(RuntimeError):
    """The guest could not be started, or ended before its command did."""


class Guest:
    """What stands for a running guest. Made by `lvsc.laboratory.kernels.running` alone."""

    def __init__(self, process: subprocess.Popen[bytes], console: Path) -> None:
        self._process = process
        self._console = console

    @property
    def ended(self) -> bool:
        """Whether the guest is down: by its command's end, by a failure, or because it was ended."""
        return self._process.poll() is not None

    def wait(self, timeout: float) -> bool:
        """Wait until the guest is down, at most `timeout` seconds; whether it is."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def console(self) -> str:
        """What the kernel printed so far, for an error message."""
        return self._console.read_text(encoding="utf-8", errors="replace")


@contextmanager
def boot_directory(share: Path, *, drop: bool = True) -> Iterator[Path]:
    """A temporary directory for what a guest needs to start, with its scripts in it.

    With `drop` both directories are given to the user that the guest will run as (see `started`).

    Raises:
        GuestError: That user does not reach the share.
    """
    if unfit := {*" ,\"'\\\n"} & {*str(share)}:
        raise GuestError(f"`{share}` holds {min(unfit)!r}, which a guest's mount does not take; set TMPDIR")
    with tempfile.TemporaryDirectory(prefix="lvsc-guest-") as name:
        directory = Path(name)
        for script in SCRIPTS:
            shutil.copyfile(BOOT / script, directory / script)
            (directory / script).chmod(0o755)
        if drop and os.geteuid() == 0:
            hand_over(directory)
            hand_over(share)
            for closed in (*_closed(share), *_closed(directory)):
                raise GuestError(
                    f"`nobody`, who runs the guest, may not enter `{closed}`; "
                    "set TMPDIR to a directory that everybody may enter"
                )
        yield directory


def readable(path: Path) -> bool:
    """Whether a file is there for the user that a guest of this user's runs as."""
    if os.geteuid() != 0:
        return os.access(path, os.R_OK)
    return path.exists() and not any(_closed(path)) and bool(path.stat().st_mode & stat.S_IROTH)


def _closed(path: Path) -> Iterator[Path]:
    """The directories on the way to a path that not everybody may enter."""
    return (parent for parent in path.resolve().parents if not parent.stat().st_mode & stat.S_IXOTH)


def hand_over(path: Path) -> None:
    """Give a directory and the files in it to the user that a guest of root's runs as."""
    nobody = pwd.getpwnam("nobody")
    for each in (path, *path.iterdir()):
        os.chown(each, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)


@contextmanager
def started(
    arguments: Sequence[str | Path], directory: Path, environment: Mapping[str, str], *, drop: bool = True
) -> Iterator[Guest]:
    """Start a guest's program in a directory, and on leaving end it and all that it started.

    A guest's root could mount this machine's files to write them as whoever runs the guest. So `drop` makes root
    start it as `nobody`.
    """
    nobody = pwd.getpwnam("nobody") if drop and os.geteuid() == 0 else None
    console = directory / "console"
    with console.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the programs are this package's own choice
            ["/bin/sh", "-c", _WATCHED, "guest", *arguments],
            env=environment,
            cwd=directory,
            user=nobody and nobody.pw_uid,
            group=nobody and nobody.pw_gid,
            extra_groups=nobody and [],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Guest(process, console)
    finally:
        # The watching process keeps the group, whose number is therefore not another's by now.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        while any(_alive(process.pid)):
            time.sleep(0.01)


def _alive(group: int) -> Iterator[str]:
    """The processes of a group that still run; one that nobody has taken note of yet has ended."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # Behind the name, which may hold anything: state, parent, group (proc(5)).
            state, _, its = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[:3]
            if its == str(group) and state not in "ZX":
                yield path.parent.name
