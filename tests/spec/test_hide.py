"""What of a spec's lines is hidden before they are shown."""

import pytest

from lvsc.report.source_line import without
from lvsc.spec.hide import hidden_spans, is_secretive, may_hold_secret

SECRET = "hunter2x"  # noqa: S105 - a made-up one


def shown(text: str) -> str:
    lines = text.split("\n")
    return "\n".join(
        without(line, hidden_spans(lines, number), ())[0] for number, line in enumerate(lines, start=1)
    )


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ('password = "hunter2x"', 'password = "***"'),
        ("password = 'hunter2x'", "password = '***'"),
        ('password = "hunter2x', 'password = "***'),
        ('password = "a\\"hunter2x" # hunter2x', 'password = "***" *** ***'),
        ("password = hunter2x", "password = ***"),
        ("password = hunter2x==", "password = ***"),
        ("password = hunter2x=y", "password = ***"),
        ("password: hunter2x", "password: ***"),
        ("password hunter2x", "password ***"),
        ("Password = 20261122", "Password = ***"),
        ('# password = "hunter2x"', '# password = "***"'),
        ('"password" = "hunter2x"', '"password" = "***"'),
        ('auth_pass = "hunter2x"', 'auth_pass = "***"'),
        ('secret = "hunter2x"', 'secret = "***"'),
        ('password = """hunter2x"""', 'password = """***"""'),
        ('password = """\nhunter2x\n"""\na = "b"', 'password = """\n***\n"""\na = "b"'),
        ('password = [\n"hunter2x"\n]\na = "b"', 'password = [\n"***"\n]\na = "b"'),
        ('authentication = "hunter2x"', 'authentication = "***"'),
        ('authentication.password = "hunter2x"', 'authentication.password = "***"'),
        ('failover.authentication.password.value = "hunter2x"', 'failover.authentication.password.value = "***"'),
        ('password = { value = "hunter2x" }', 'password = { value = "***" }'),
        ('password = { env = "hunter2x!" }', 'password = { env = "***" }'),
        ("password = { hunter2x }", "password = { *** }"),
        ('authentication = { type = "ah", pw = "hunter2x" }', 'authentication = { type = "ah", pw = "***" }'),
        ('authentication = {\n pw = "hunter2x",\n}', 'authentication = {\n *** = "***",\n}'),
        ('[failover.authentication]\npw = "hunter2x"', '[failover.authentication]\npw = "***"'),
        ('[[failover.authentication]]\npw = "hunter2x"', '[[failover.authentication]]\npw = "***"'),
        ('[failover.authentication.password]\nx = "hunter2x"', '[failover.authentication.password]\nx = "***"'),
    ],
)  # fmt: skip
def test_a_secret_is_hidden_whatever_it_is_written_as(text: str, hidden: str) -> None:
    assert shown(text) == hidden
    assert SECRET not in hidden
    assert may_hold_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        'authentication = { type = "pass", password = { env = "VRRP_PASSWORD" } }',
        "password = { file = 'secrets/vrrp 1' }",
        '[failover.authentication]\ntype = "ah"\npassword = { env = "VRRP_PASSWORD" }',
        '[failover.authentication.password]\nenv = "VRRP_PASSWORD"\n[services.web]\naddress = "www"',
        'password = { env = "VRRP_PASSWORD" }\npriority = 5',
        '[services.secret]\naddress = "www"',
        'name = "secret"\nip = ["192.0.2.10"]',
        'passive_ports = "10000-20000"',
        'command = "/bin/ask the secret of it"',
    ],
)
def test_where_a_secret_is_kept_and_all_else_is_shown(text: str) -> None:
    assert shown(text) == text


@pytest.mark.parametrize(
    ("mark", "moved"),
    [
        pytest.param((1, 9), (1, 9), id="before"),
        pytest.param((12, 22), (12, 17), id="around"),
        pytest.param((14, 16), (13, 16), id="within"),
        pytest.param((23, 24), (18, 19), id="behind"),
    ],
)
def test_marks_stay_at_what_they_mark(mark: tuple[int, int], moved: tuple[int, int]) -> None:
    line = 'password = "hunter2x" x'
    assert without(line, [(12, 20)], [mark]) == ('password = "***" x', [moved])


def test_the_length_of_a_secret_is_not_shown() -> None:
    assert shown('password = "a"') == shown('password = "a much longer one"')


@pytest.mark.parametrize(
    ("name", "expected"),
    [("password", True), ("auth_pass", True), ("Secret", True), ("passive_ports", False), ("pool", False)],
)
def test_names_of_secrets(name: str, expected: bool) -> None:
    assert is_secretive(name) is expected
