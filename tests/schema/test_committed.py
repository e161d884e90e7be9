"""What is committed is what the code generates: the schema and its page."""

import json
from pathlib import Path

import pytest

from lvsc.plugins.manager import Plugins
from lvsc.report.spec_page import spec_page
from lvsc.spec.schema import generate

ROOT = Path(__file__).parents[2]
GENERATED = {
    "schemas/lvsc_schemas/cluster.schema.json": lambda schema: json.dumps(schema, indent=2) + "\n",
    "docs/spec.md": spec_page,
}


@pytest.mark.parametrize("path", GENERATED)
def test_committed_file_is_the_generated_one(path: str, update: bool) -> None:
    text = GENERATED[path](generate(Plugins.installed().fragments))
    if update:
        (ROOT / path).write_text(text)
    assert (ROOT / path).read_text() == text, "run pytest --update and commit the result"
