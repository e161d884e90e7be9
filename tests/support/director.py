"""A director whose ipvsadm is the tests' own, and whose emitted script has its paths moved into a test's directory."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from lvsc.plugin import Node, Target
from lvsc.targets import load
from lvsc_ipvsadm import rules, script
from lvsc_ipvsadm.backend import Ipvsadm
from support.ipvs import part


@dataclass(frozen=True)
class Director:
    """A director whose ipvsadm is `support.fake_ipvsadm`."""

    root: Path
    shell: str = "/bin/sh"

    def write(self, *nodes: Node, target: Target | None = None) -> None:
        """Write what the backend emits for these nodes."""
        emission = Ipvsadm().emit(part(*nodes, target=target))
        texts = {artifact.path: artifact.text for artifact in emission.artifacts}
        moved = texts[script.PATH]
        for path, here in (
            (f"ipvsadm={load('debian12').program('ipvsadm')}\n", f"ipvsadm={self.root}/ipvsadm\n"),
            (f"rules={rules.PATH}\n", f"rules={self.root}/ipvsadm.rules\n"),
            ("PATH=/usr/sbin:", f"PATH={self.root}/bin:/usr/sbin:"),
        ):
            assert path in moved
            moved = moved.replace(path, here)
        (self.root / "ipvsadm.rules").write_text(texts[rules.PATH], encoding="utf-8")
        (self.root / "ipvsadm.sh").write_text(moved, encoding="utf-8")

    def run(self, action: str = "start") -> subprocess.CompletedProcess[str]:
        """Run the script as the unit does."""
        command = [*self.shell.split(), str(self.root / "ipvsadm.sh"), action]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def start(self) -> list[str]:
        """Run the script, which must succeed without a word; returns the changes that it made."""
        self.put("log", "")
        result = self.run()
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
        return self.read("log").splitlines()

    def read(self, name: str) -> str:
        """The text of a file beside the fake program."""
        return (self.root / name).read_text(encoding="utf-8")

    def put(self, name: str, text: str) -> None:
        """Write a file beside the fake program."""
        (self.root / name).write_text(text, encoding="utf-8")
