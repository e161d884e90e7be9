"""Reads the targets' data files: one TOML file per distribution release, its stem the target's name."""

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import TypeVar

from lvsc.diagnostics import nearest
from lvsc.targets.features import Feature, Program
from lvsc.targets.target import Init, Paths, Target, Units
from lvsc.targets.version import Version

T = TypeVar("T")

_ALIASES = "aliases.toml"

# Plain characters only, so that nobody who writes a path or a unit's name into a unit or a script need quote it.
_PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9._-]+)+")
_PLAIN_UNIT = re.compile(r"[A-Za-z0-9._-]+")

PROGRAM_NAMES = frozenset(
    {
        "ip",
        "ip6tables",
        "ip6tables-restore",
        "ip6tables-save",
        "iptables",
        "iptables-restore",
        "iptables-save",
        "ipvsadm",
        "keepalived",
        "modprobe",
        "nft",
        "rc-service",
        "rc-update",
        "sh",
        "sysctl",
        "systemctl",
        "vsftpd",
    }
)
"""The programs whose paths a data file may name; nothing else is run by what lvsc emits."""


class UnknownTarget(LookupError):  # noqa: N818 - the name says the failure
    """No target has this name or alias."""

    def __init__(self, name: str, suggestion: str | None) -> None:
        hint = f"did you mean `{suggestion}`?" if suggestion else "`lvsc targets` lists them"
        super().__init__(f"there is no target `{name}`; {hint}")
        self.name = name
        self.suggestion = suggestion
        """The nearest name or alias, None where nothing is near."""


class TargetDataError(ValueError):
    """A target's data file does not say what it must, or says what it may not."""

    def __init__(self, file: str, key: str, problem: str) -> None:
        super().__init__(f"{file}: `{key}` {problem}")
        self.file = file
        self.key = key


def names() -> tuple[str, ...]:
    """Return the names of all targets, sorted."""
    return tuple(sorted(name.removesuffix(".toml") for name in _files() if name != _ALIASES))


def load(name: str) -> Target:
    """Return the target with this name or alias.

    Raises:
        UnknownTarget: there is none.
        TargetDataError: its data file is wrong.
    """
    if name in names():
        return _load(name)
    aliases = _aliases()
    if name in aliases:
        return _load(aliases[name])
    raise UnknownTarget(name, nearest(name, (*names(), *aliases)))


def first_with(feature: Feature) -> tuple[str, ...]:
    """Return the names of the targets that have ``feature``, sorted."""
    return tuple(name for name in names() if _load(name).has(feature))


def parse(name: str, text: str, aliases: tuple[str, ...] = ()) -> Target:
    """Return the target that ``text``, the data file of target ``name``, describes.

    Raises:
        TargetDataError: a key is missing, unknown or of the wrong type.
        tomllib.TOMLDecodeError: `text` is not TOML.
    """
    import tomllib  # noqa: PLC0415 - a command that loads no target need not pay for it

    top = _Table(f"{name}.toml", "", tomllib.loads(text))
    target = Target(
        name=name,
        title=top.text("title"),
        aliases=aliases,
        packet_filter=top.choice("packet_filter", ("iptables", "nftables")),
        director=top.choice("director", ("ipvsadm", "keepalived")),
        init=Init(top.choice("init", [init.value for init in Init])),
        versions=_versions(top.table("versions")),
        programs=_programs(top.table("programs")),
        paths=_paths(top.table("paths")),
        units=_units(top.table("units")),
        stated=_stated(top.table("features")),
        sources=top.texts("sources"),
    )
    top.close()
    return target


@cache  # package data does not change while a process runs
def _load(name: str) -> Target:
    return parse(name, _read(f"{name}.toml"), tuple(alias for alias, of in _aliases().items() if of == name))


@cache
def _aliases() -> dict[str, str]:
    import tomllib  # noqa: PLC0415 - as in `parse`

    table = _Table(_ALIASES, "", tomllib.loads(_read(_ALIASES)))
    known = names()
    return {alias: table.choice(alias, known) for alias in table.unread()}


@cache
def _files() -> tuple[str, ...]:
    from importlib.resources import files  # noqa: PLC0415 - as in `parse`

    entries = files("lvsc.targets").joinpath("data").iterdir()
    return tuple(entry.name for entry in entries if entry.name.endswith(".toml"))


def _read(file: str) -> str:
    from importlib.resources import files  # noqa: PLC0415 - as in `parse`

    return files("lvsc.targets").joinpath("data", file).read_text(encoding="utf-8")


class _Table:
    """A TOML table that is read key by key and complains about what was not asked for."""

    def __init__(self, file: str, path: str, values: dict[str, object]) -> None:
        self._file = file
        self._path = path
        self._unread = dict(values)

    def unread(self) -> tuple[str, ...]:
        """Return the keys that have not been read, in file order."""
        return tuple(self._unread)

    def error(self, key: str, problem: str) -> TargetDataError:
        return TargetDataError(self._file, f"{self._path}{key}", problem)

    def text(self, key: str) -> str:
        value = self._take(key, str, "a string")
        if not value:
            raise self.error(key, "is empty: leave the key out or say what it is")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._take(key, list, "a list of strings")
        texts = tuple(value for value in values if isinstance(value, str) and value)
        if len(texts) != len(values):
            raise self.error(key, "must be a list of strings, none of them empty")
        return texts

    def flag(self, key: str) -> bool:
        return self._take(key, bool, "true or false")

    def choice(self, key: str, choices: Iterable[str]) -> str:
        value = self.text(key)
        if value not in choices:
            raise self.error(
                key, f"is `{value}`, which is none of " + ", ".join(f"`{word}`" for word in choices)
            )
        return value

    def path(self, key: str) -> str:
        value = self.text(key)
        if not _PLAIN_PATH.fullmatch(value):
            raise self.error(key, f"is `{value}`: write an absolute path of letters, digits and `/._-`")
        return value

    def unit(self, key: str) -> str:
        return self._plain_unit(key, self.text(key))

    def units(self, key: str) -> tuple[str, ...]:
        return tuple(self._plain_unit(key, value) for value in self.texts(key))

    def optional(self, key: str, read: Callable[[str], T]) -> T | None:
        return read(key) if key in self._unread else None

    def table(self, key: str) -> "_Table":
        return _Table(self._file, f"{self._path}{key}.", self._take(key, dict, "a table"))

    def close(self) -> None:
        """Raise if a key has not been read."""
        for key in self._unread:
            raise self.error(key, "is an unknown key: remove it")

    def _plain_unit(self, key: str, value: str) -> str:
        if not _PLAIN_UNIT.fullmatch(value):
            raise self.error(key, f"names `{value}`: write a unit's name of letters, digits and `._-`")
        return value

    def _take(self, key: str, kind: type[T], words: str) -> T:
        if key not in self._unread:
            raise self.error(key, f"is missing: it must be {words}")
        value = self._unread.pop(key)
        if not isinstance(value, kind):
            raise self.error(key, f"must be {words}")
        return value


def _versions(table: _Table) -> tuple[tuple[Program, Version], ...]:
    versions = []
    for program in Program:
        text = table.optional(program.value, table.text)
        if text is not None:
            try:
                versions.append((program, Version.parse(text)))
            except ValueError as error:
                raise table.error(program.value, str(error)) from error
    table.close()
    return tuple(versions)


def _programs(table: _Table) -> tuple[tuple[str, str], ...]:
    paths = tuple((name, table.path(name)) for name in table.unread() if name in PROGRAM_NAMES)
    table.close()
    return paths


def _paths(table: _Table) -> Paths:
    paths = Paths(
        keepalived_conf=table.path("keepalived_conf"),
        vsftpd_conf=table.path("vsftpd_conf"),
        sysctl_d=table.path("sysctl_d"),
        modules_load_d=table.path("modules_load_d"),
        modprobe_d=table.path("modprobe_d"),
        unit_dir=table.path("unit_dir"),
    )
    table.close()
    return paths


def _units(table: _Table) -> Units:
    units = Units(
        iptables=table.units("iptables"),
        nftables=table.units("nftables"),
        keepalived=table.optional("keepalived", table.unit),
        vsftpd=table.optional("vsftpd", table.unit),
        ipvsadm=table.optional("ipvsadm", table.unit),
        network_pre=table.unit("network_pre"),
        network_online=table.unit("network_online"),
    )
    table.close()
    return units


def _stated(table: _Table) -> tuple[tuple[Feature, bool], ...]:
    features = {feature.key: feature for feature in Feature}
    stated = []
    for key in table.unread():
        if key not in features:
            raise table.error(key, "is no feature: see lvsc/targets/features.py")
        statement = table.table(key)
        stated.append((features[key], statement.flag("has")))
        statement.text("source")
        statement.close()
    return tuple(stated)
