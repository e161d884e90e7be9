"""Answers the calls that the other side puts into the directory `calls`, in their order, until it is told to end.

A call is a file N.json with the name of a host and what to do there; its reply appears as replies/N.json. Both are written
under another name first, so that whoever finds one finds it whole.
"""

import json
import time
import traceback
from pathlib import Path
from typing import Any

from .hosts import Hosts

#: How long to wait before looking again, in seconds.
PAUSE = 0.01


def main() -> None:
    """Serve until the call to end."""
    hosts = Hosts()
    number = 0
    while True:
        call = _next(Path("calls", f"{number}.json"))
        if call["do"] == "end":
            hosts.clear()
            return
        reply: dict[str, Any]
        try:
            reply = {"value": hosts.do(call)}
        except Exception as error:  # noqa: BLE001 - the other side tells of it
            reply = {"error": str(error) or type(error).__name__, "trace": traceback.format_exc()}
        written = Path("replies", f"{number}.part")
        written.write_text(json.dumps(reply), encoding="utf-8")
        written.rename(written.with_suffix(".json"))
        number += 1


def _next(path: Path) -> dict[str, Any]:
    while not path.exists():
        time.sleep(PAUSE)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    path.unlink()
    return found


if __name__ == "__main__":
    main()
