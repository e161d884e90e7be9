"""The schema that OASIS publishes for SARIF 2.1.0; `sarif/NOTICE.md` says whose it is."""

import json
import re
from functools import cache
from hashlib import sha256
from pathlib import Path

import jsonschema

SCHEMA = Path(__file__).with_name("sarif") / "sarif-schema-2.1.0.json"

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_CHARACTERS = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*")


def judge_sarif(log: object) -> None:
    """Raise jsonschema.ValidationError where the log is not SARIF 2.1.0, its URIs included."""
    _validator().validate(log)


def digest() -> str:
    """The SHA-256 of the schema, in hexadecimal."""
    return sha256(SCHEMA.read_bytes()).hexdigest()


@cache
def _validator() -> jsonschema.Draft7Validator:
    # Not jsonschema-rs: it refuses the schema for the stray bracket in the pattern of `run.language`.
    return jsonschema.Draft7Validator(
        json.loads(SCHEMA.read_text(encoding="utf-8")), format_checker=_formats()
    )


def _formats() -> jsonschema.FormatChecker:
    """The formats of RFC 3986, which jsonschema checks only with a package that nothing else here needs."""
    formats = jsonschema.FormatChecker()
    formats.checks("uri-reference")(_is_reference)
    formats.checks("uri")(lambda value: _is_reference(value) and _has_scheme(value))
    return formats


def _is_reference(value: object) -> bool:
    return not isinstance(value, str) or _CHARACTERS.fullmatch(value) is not None


def _has_scheme(value: object) -> bool:
    return not isinstance(value, str) or _SCHEME.match(value) is not None
