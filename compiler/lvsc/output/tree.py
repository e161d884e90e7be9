"""The directory of one cluster's files: the system calls, and their failures as diagnostics."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lvsc.diagnostics import DiagnosticError
from lvsc.output import codes
from lvsc.output.files import parents, temporary

#: Of the directories below the cluster's, whatever the umask: they stand for a host's own.
DIRECTORY_MODE = 0o755

_HELP = {
    errno.ENOSPC: "free some space and build again",
    errno.EDQUOT: "free some of the quota and build again",
    errno.EROFS: "the file system is read-only; build into another directory with `-o`",
    errno.EACCES: "build as a user who may write there, or into another directory with `-o`",
    errno.EPERM: "build as a user who may write there, or into another directory with `-o`",
    errno.ENAMETOOLONG: "shorten the names in the spec, or build into another directory with `-o`",
}


class Tree:
    """The files below a cluster's directory, named by their path relative to it.

    Every method raises DiagnosticError where the system refuses. No symbolic link below the cluster's directory is
    followed; that nobody swaps a directory for one while a build is at work is taken for granted.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._directories: set[str] = set()

    def path(self, source: str) -> Path:
        """Where a file stands."""
        return self.root / source

    def look(self, source: str) -> os.stat_result | None:
        """The status of a file, or None where there is none.

        Raises:
            DiagnosticError: something else is there, or where one of its directories must be.
        """
        for parent in ("", *reversed(parents(source))):
            if parent in self._directories:
                continue
            status = self._status(parent)
            if status is None:
                return None
            if not stat.S_ISDIR(status.st_mode):
                raise _obstacle(self.path(parent), status, "a directory")
            self._directories.add(parent)
        status = self._status(source)
        if status is not None and not stat.S_ISREG(status.st_mode):
            raise _obstacle(self.path(source), status, "a file")
        return status

    def read(self, source: str) -> bytes:
        """The bytes of a file that `look` found."""
        with refusal(self.path(source), "read"), os.fdopen(self._open(source, os.O_RDONLY), "rb") as file:
            return file.read()

    def make_directories(self, source: str, made: list[str]) -> None:
        """Make the directories that a file needs and `look` did not find; adds them to `made`, even if it fails then."""
        for parent in reversed(parents(source)):
            if parent in self._directories:
                continue
            with refusal(self.path(parent), "make"):
                made.append(parent)
                _make_directory(self.path(parent))
            self._directories.add(parent)

    def write_temporary(self, source: str, data: bytes, mode: int) -> None:
        """Write a file's new content beside it. It is readable by others only once it is whole."""
        with refusal(self.path(source), "write"):
            descriptor = self._open(temporary(source), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
                os.fchmod(descriptor, mode)
            finally:
                os.close(descriptor)

    def replace(self, source: str) -> None:
        """Put the new content in the file's place."""
        with refusal(self.path(source), "write"):
            self.path(temporary(source)).rename(self.path(source))

    def remove(self, source: str) -> bool:
        """Remove a file; returns whether there was one."""
        with refusal(self.path(source), "remove"):
            try:
                self.path(source).unlink()
            except (FileNotFoundError, NotADirectoryError):
                return False
        return True

    def prune(self, source: str) -> list[str]:
        """Remove the directories of a removed file that are empty now; returns those that were there."""
        pruned = []
        for parent in parents(source):
            with refusal(self.path(parent), "remove"):
                try:
                    self.path(parent).rmdir()
                    pruned.append(parent)
                except FileNotFoundError:
                    pass
                except OSError as error:
                    if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                        raise
                    break
            self._directories.discard(parent)
        return pruned

    def sync(self, source: str) -> None:
        """Bring a file's content or a directory's entries to the disk, if it is still there; "" is the cluster's own."""
        with refusal(self.path(source), "write"):
            try:
                descriptor = self._open(source, os.O_RDONLY)
            except FileNotFoundError:
                return
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other build out of the cluster's directory, which must be there.

        Raises:
            DiagnosticError: another build is at work in it.
        """
        with refusal(self.root, "lock"):
            descriptor = self._open("", os.O_RDONLY | os.O_DIRECTORY)
        try:
            with refusal(self.root, "lock"):
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    problem = codes.LOCKED.at(
                        None,
                        f"another build is writing into `{self.root}`",
                        help="wait until it is done, and build again",
                    )
                    raise DiagnosticError([problem]) from None
            yield
        finally:
            os.close(descriptor)

    def _open(self, source: str, flags: int) -> int:
        return os.open(self.path(source), flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    def _status(self, source: str) -> os.stat_result | None:
        with refusal(self.path(source), "read"):
            try:
                return self.path(source).lstat()
            except FileNotFoundError:
                return None


def make_root(root: Path) -> list[Path]:
    """Make a cluster's directory and those above it; returns those that were not there, outermost first.

    The cluster's own has the mode of those below it, those above follow the umask.

    Raises:
        DiagnosticError: the system refuses, or something else is in the cluster's place.
    """
    made = []
    try:
        with refusal(root.parent, "make"):
            missing = [above for above in root.parents if not above.exists()]
        for directory in reversed(missing):
            made.append(directory)
            with refusal(directory, "make"):
                directory.mkdir(exist_ok=True)
        with refusal(root, "make"):
            try:
                made.append(root)
                _make_directory(root)
            except FileExistsError:
                made.pop()
                status = root.lstat()
                if not stat.S_ISDIR(status.st_mode):
                    raise _obstacle(root, status, "the cluster's directory") from None
    except BaseException:
        remove_directories(made)
        raise
    return made


def remove_directories(directories: list[Path]) -> None:
    """Remove directories that a failed build made, as far as they are empty."""
    for directory in reversed(directories):
        with suppress(OSError):
            directory.rmdir()


def _make_directory(path: Path) -> None:
    # The mode is right from the start, whatever the umask, so that an interrupted build leaves no directory of another.
    umask = os.umask(0o777 & ~DIRECTORY_MODE)
    try:
        path.mkdir(DIRECTORY_MODE)
    finally:
        os.umask(umask)


def _obstacle(path: Path, status: os.stat_result, wanted: str) -> DiagnosticError:
    kinds = ((stat.S_ISDIR, "a directory"), (stat.S_ISLNK, "a symbolic link"), (stat.S_ISREG, "a file"))
    kind = next((name for holds, name in kinds if holds(status.st_mode)), "neither a file nor a directory")
    problem = codes.OBSTACLE.at(
        None, f"`{path}` is {kind} where {wanted} must go", help="move it away, and build again"
    )
    return DiagnosticError([problem])


@contextmanager
def refusal(path: Path, verb: str) -> Iterator[None]:
    """Turns an OSError into the diagnostic that says what could not be done to which path, and why."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        problem = codes.INPUT_OUTPUT.at(
            None,
            f"cannot {verb} `{path}`: {reason}",
            help=_HELP.get(error.errno or 0, "remove the cause, and build again"),
        )
        raise DiagnosticError([problem]) from error
