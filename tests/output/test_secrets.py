"""Where the values of secrets come from, and that nothing shows them."""

import copy
import os
import pickle
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvsc.diagnostics import Code, Origin
from lvsc.output import codes
from lvsc.output.secrets import Resolution, resolver
from lvsc.secrets import Secret, SecretRef, SecretSource

ORIGIN = Origin("cluster.toml", ("failover", "authentication", "password"))
VARIABLE = SecretRef(SecretSource.ENVIRONMENT, "VRRP_PASSWORD", 8)
FILE = SecretRef(SecretSource.FILE, "secrets/vrrp", 8)

GOOD = ["x", "12345678", "a.b-c_d", "%^&*()+=", "<>?/|;:,", "[]`1"]
BAD = {
    "long": "123456789",
    "space": "a b",
    "leading space": " qz",
    "tab": "a\tb",
    "carriage return": "qz\r",
    "double quote": 'a"b',
    "single quote": "a'b",
    "hash": "a#b",
    "exclamation mark": "a!b",
    "dollar": "a$b",
    "at": "@qz",
    "tilde": "~qz",
    "backslash": "a\\b",
    "opening brace": "a{b",
    "closing brace": "a}b",
    "not ascii": "pässe",
    "control": "a\x01b",
    "delete": "a\x7fb",
    "zero": "a\0b",
}


def from_environment(value: str | None) -> Resolution:
    environment = {} if value is None else {VARIABLE.name: value}
    return resolver(environment, Path("/nowhere"))(VARIABLE, ORIGIN)


def from_file(base: Path, data: bytes, mode: int = 0o600) -> Resolution:
    path = base / FILE.name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)
    return resolver({}, base)(FILE, ORIGIN)


def codes_of(resolution: Resolution) -> list[Code]:
    return [problem.code for problem in resolution.diagnostics]


@pytest.mark.parametrize("value", GOOD)
def test_a_value_from_the_environment(value: str) -> None:
    result = from_environment(value)
    assert result.secret is not None
    assert result.secret.reveal() == value
    assert result.diagnostics == ()


@pytest.mark.parametrize("value", GOOD)
@pytest.mark.parametrize("rest", [b"", b"\n", b"\nmore\n", b"\n\xff\xfe"])
def test_a_value_is_the_first_line_of_a_file(tmp_path: Path, value: str, rest: bytes) -> None:
    result = from_file(tmp_path, value.encode() + rest)
    assert result.secret is not None
    assert result.secret.reveal() == value
    assert result.diagnostics == ()


def test_a_files_path_may_be_absolute(tmp_path: Path) -> None:
    from_file(tmp_path, b"secret\n")
    ref = SecretRef(SecretSource.FILE, str(tmp_path / FILE.name), 8)
    result = resolver({}, Path("/nowhere"))(ref, None)
    assert result.secret is not None
    assert result.secret.reveal() == "secret"


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
def test_a_value_that_cannot_be_written_is_refused_and_not_shown(tmp_path: Path, value: str) -> None:
    for result in (from_environment(value), from_file(tmp_path, value.encode())):
        assert result.secret is None
        assert codes_of(result) == [codes.BAD_SECRET]
        assert value not in repr(result)
        assert value.strip() not in repr(result)


def test_both_reasons_are_given() -> None:
    assert codes_of(from_environment("123 567890")) == [codes.BAD_SECRET] * 2


@given(value=st.text(min_size=1, max_size=12))
def test_what_is_accepted_is_short_and_plain(value: str) -> None:
    result = from_environment(value)
    plain = all("!" <= char <= "~" and char not in "\"'#!$@~\\{}" for char in value)
    assert (result.secret is not None) == (plain and len(value) <= 8)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "environment variable `VRRP_PASSWORD` is not set"),
        ("", "environment variable `VRRP_PASSWORD` is empty"),
    ],
)
def test_a_variable_that_says_nothing(value: str | None, message: str) -> None:
    (problem,) = from_environment(value).diagnostics
    assert problem.code is codes.NO_SECRET
    assert problem.message == message
    assert problem.place is not None
    assert problem.place.origin == ORIGIN


@pytest.mark.parametrize("data", [b"", b"\n", b"\nsecret\n"])
def test_a_file_whose_first_line_is_empty(tmp_path: Path, data: bytes) -> None:
    (problem,) = from_file(tmp_path, data).diagnostics
    assert problem.code is codes.NO_SECRET
    assert problem.message == "the first line of file `secrets/vrrp` is empty"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (problem,) = resolver({}, tmp_path)(FILE, ORIGIN).diagnostics
    assert problem.code is codes.NO_SECRET
    assert problem.message == "the secret's file `secrets/vrrp` cannot be read: no such file or directory"
    assert str(tmp_path / FILE.name) in (problem.help or "")


def test_a_path_that_cannot_be(tmp_path: Path) -> None:
    ref = SecretRef(SecretSource.FILE, "a\0b", 8)
    (problem,) = resolver({}, tmp_path)(ref, ORIGIN).diagnostics
    assert problem.code is codes.NO_SECRET


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    os.mkfifo(tmp_path / FILE.name)
    (problem,) = resolver({}, tmp_path)(FILE, ORIGIN).diagnostics
    assert problem.message == "the secret's file `secrets/vrrp` cannot be read: not a regular file"
    directory = SecretRef(SecretSource.FILE, "secrets", 8)
    assert codes_of(resolver({}, tmp_path)(directory, ORIGIN)) == [codes.NO_SECRET]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o601])
def test_a_file_that_others_have_a_right_to_is_a_warning(tmp_path: Path, mode: int) -> None:
    result = from_file(tmp_path, b"secret\n", mode)
    assert result.secret is not None
    (problem,) = result.diagnostics
    assert problem.code is codes.EXPOSED_SECRET
    assert problem.message == f"file `secrets/vrrp` holds a secret and has mode {mode:04o}"


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_that_is_ones_own_is_fine(tmp_path: Path, mode: int) -> None:
    assert from_file(tmp_path, b"secret\n", mode).diagnostics == ()


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("s3cr3t")
    texts = [repr(secret), str(secret), f"{secret}", f"{secret!r:>20}", repr(Resolution(secret))]
    for fail in (pickle.dumps, copy.copy, lambda value: value.nothing, lambda value: value + 1):
        with pytest.raises((TypeError, AttributeError)) as caught:
            fail(secret)
        texts += traceback.format_exception(caught.value)
    assert not any("s3cr3t" in text for text in texts)
    assert not hasattr(secret, "__dict__")
