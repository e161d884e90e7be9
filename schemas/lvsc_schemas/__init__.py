"""The JSON Schemas of what lvsc reads and of every JSON that it prints."""

import json
from importlib.resources import files
from typing import Any


def load(name: str) -> dict[str, Any]:
    """The schema in `NAME.schema.json`.

    Raises:
        FileNotFoundError: there is no schema of this name.
    """
    schema: dict[str, Any] = json.loads(
        files(__name__).joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
    )
    return schema
