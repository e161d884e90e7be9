"""The values of secrets, read when the files that hold them are written, and shown nowhere else."""

import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lvsc.diagnostics import Diagnostic, Origin
from lvsc.output import codes
from lvsc.secrets import Secret, SecretRef, SecretSource

#: Printable ASCII without what keepalived.conf could read as something else (`lvsc_keepalived.quote` says what that is).
_ALLOWED = re.compile(r"[!-~]+")
_SPECIAL = re.compile(r"[\"'#!$@~\\{}]")

#: More of a file than any secret's line has.
_READ = 4096


@dataclass(frozen=True, slots=True)
class Resolution:
    """A secret's value, None where it cannot be had, and what there is to say about it."""

    secret: Secret | None
    diagnostics: tuple[Diagnostic, ...] = ()


#: Looks a secret up. The origin is where the spec asks for it, for diagnostics.
Resolve = Callable[[SecretRef, Origin | None], Resolution]


def resolver(environment: Mapping[str, str], base: Path) -> Resolve:
    """Looks secrets up in an environment, and in files relative to the directory `base` of the spec."""

    def resolve(ref: SecretRef, origin: Origin | None = None) -> Resolution:
        if ref.source is SecretSource.ENVIRONMENT:
            return _from_environment(ref, environment, origin)
        return _from_file(ref, base / ref.name, origin)

    return resolve


def _from_environment(ref: SecretRef, environment: Mapping[str, str], origin: Origin | None) -> Resolution:
    value = environment.get(ref.name)
    where = f"environment variable `{ref.name}`"
    if not value:
        problem = codes.NO_SECRET.at(
            origin,
            f"{where} is {'not set' if value is None else 'empty'}",
            help=f"set `{ref.name}` to the secret where `lvsc build` is run",
        )
        return Resolution(None, (problem,))
    return _checked(value, ref, where, origin)


def _from_file(ref: SecretRef, path: Path, origin: Origin | None) -> Resolution:
    where = f"file `{ref.name}`"
    try:
        # A pipe has no reader to wait for, so that opening one returns at once.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return _unreadable(where, "not a regular file", path, origin)
            # Latin 1 knows every byte, and what is not ASCII is refused below.
            value = file.read(_READ).partition(b"\n")[0].decode("latin-1")
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "no such path"
        return _unreadable(where, reason, path, origin)
    if not value:
        problem = codes.NO_SECRET.at(
            origin,
            f"the first line of {where} is empty",
            help=f"write the secret into the first line of `{path}`",
        )
        return Resolution(None, (problem,))
    result = _checked(value, ref, where, origin)
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        exposed = codes.EXPOSED_SECRET.at(
            origin, f"{where} holds a secret and has mode {mode:04o}", help=f"`chmod 600 {path}`"
        )
        return Resolution(result.secret, (*result.diagnostics, exposed))
    return result


def _unreadable(where: str, reason: str, path: Path, origin: Origin | None) -> Resolution:
    problem = codes.NO_SECRET.at(
        origin,
        f"the secret's {where} cannot be read: {reason.lower()}",
        help=f"write the secret into the first line of `{path}`",
    )
    return Resolution(None, (problem,))


def _checked(value: str, ref: SecretRef, where: str, origin: Origin | None) -> Resolution:
    problems = []
    if len(value) > ref.max_length:
        problems.append(
            codes.BAD_SECRET.at(
                origin,
                f"the secret in {where} is longer than {ref.max_length} characters",
                help="shorten it here and on every other host that shares it: the rest would not count",
            )
        )
    if not _ALLOWED.fullmatch(value) or _SPECIAL.search(value):
        problems.append(
            codes.BAD_SECRET.at(
                origin,
                f"the secret in {where} holds a character that cannot be written",
                help="use letters, digits and punctuation other than quotes and # ! $ @ ~ \\ { }; no space",
            )
        )
    return Resolution(None if problems else Secret(value), tuple(problems))
