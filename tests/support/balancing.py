"""Rows for balancing_lab.py: a director's configurations, as lvsc builds them, and what the lab has found."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lvsc.compile import Compiled, Options
from lvsc.graph.nodes import Sysctl
from support import guest
from support.specs import Layer, compile_text, spec

_LAB = Path(__file__).parent / "balancing_lab.py"
_MANGLE = re.compile(r"\*mangle\n.*?^COMMIT\n", re.MULTILINE | re.DOTALL)
_NO_MARKS = "*mangle\n:LVSC-MARK - [0:0]\nCOMMIT\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Configurations that follow each other on a director whose clients are connected since the first."""

    specs: tuple[Layer, ...]
    protocol: str = "tcp"
    port: int = 80
    director: str = "ipvsadm"
    new_first: bool = False
    """Whether clients connect anew before anything comes by an old connection."""
    until: str | None = None
    """What an old connection is asked again after, once the last change is made, because something else is to come of it."""


@dataclass(frozen=True, slots=True)
class Found:
    """What clients found after a change."""

    old: Mapping[str, str]
    """By the real server that a connection was on: `lives`, `silent`, `reset` or `refused`, or which server answers."""
    new: str
    """Where each client's next connection went: `same` for where its first one is, `chosen` for where the scheduler
    would have it, or what all of them have in common."""


def found(trials: Mapping[str, Trial], timeout: float = 1800) -> dict[str, list[Found]]:
    """What clients found after each change of each trial, in one guest. `timeout` is in seconds."""
    rows = {
        name: {
            "configurations": [_configuration(layer, trial.director) for layer in trial.specs],
            "protocol": trial.protocol,
            "port": trial.port,
            "new first": trial.new_first,
            "until": trial.until,
        }
        for name, trial in trials.items()
    }
    files = {"balancing_lab.py": _LAB.read_text(encoding="utf-8"), "rows.json": json.dumps(rows)}
    done = guest.run(["python3", "balancing_lab.py"], timeout=timeout, files=files)
    assert (done.returncode, done.stderr) == (0, "")
    return {
        name: [_found(row["first"], change) for change in row["changes"]]
        for name, row in json.loads(done.stdout).items()
    }


def _found(first: list[str], change: Mapping[str, list[str]]) -> Found:
    old: dict[str, str] = {}
    for server, said in zip(first, change["old"], strict=True):
        fate = "lives" if said == server else said
        assert old.setdefault(server, fate) == fate
    new = set(change["new"])
    if change["new"] == first:
        return Found(old, "same")
    return Found(old, new.pop() if len(new) == 1 else "chosen")


def _configuration(layer: Layer, director: str) -> dict[str, Any]:
    compiled = compile_text(spec(layer), Options(backends=("iptables", director)))
    files = {path.rpartition("/")[2]: text for path, text in _files(compiled)}
    marks = _MANGLE.search(files.get("iptables.v4", ""))
    said = {
        node.key.removeprefix("net.ipv4.vs."): node.value
        for node in compiled.lowered.graph.hosts["lvs1"].of(Sysctl)
        if node.key.startswith("net.ipv4.vs.expire_")
    }
    names = ("ipvsadm.rules", "ipvsadm.sh", "keepalived.conf")
    return {
        "settings": {"expire_nodest_conn": "0", "expire_quiescent_template": "0", **said},
        "marks": marks[0] if marks else _NO_MARKS,
        "table": _table(layer) if director == "keepalived" else "",
        **{name: files[name] for name in names if name in files},
    }


def _table(layer: Layer) -> str:
    """What `ipvsadm -Sn` prints of a director."""
    compiled = compile_text(spec(layer), Options(backends=("iptables", "ipvsadm")))
    return next(text for path, text in _files(compiled) if path.endswith("ipvsadm.rules"))


def _files(compiled: Compiled) -> Iterable[tuple[str, str]]:
    return ((file.artifact.path, file.artifact.text) for file in compiled.files)
