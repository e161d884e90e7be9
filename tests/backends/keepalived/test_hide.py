"""What is hidden of a keepalived.conf, and that nothing else is."""

import pytest

from lvsc.plugin import Secret, Source, VrrpInstance
from lvsc_keepalived.hide import HIDDEN

from .reading import KEEPALIVED, parts_of, read

PASSWORD = "hunter2x"  # noqa: S105 - a made-up one
BLOCK = (
    "vrrp_instance public {{\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {{\n 192.0.2.10/24\n }}\n"
    " authentication {{\n auth_type PASS\n auth_pass {}\n }}\n}}\n"
)


def hidden(text: str) -> Source:
    return KEEPALIVED.hide(Source(host="lvs1", file="keepalived.conf", text=text))


@pytest.mark.parametrize(
    "text",
    [
        "auth_pass {}",
        'auth_pass "{}"',
        "auth_pass\t{}\r",
        'auth_pass "{}',
        "AUTH_PASS {}",
        '"auth_pass" {}',
        '"auth_pass {}"',
        "auth_pass={}",
        "auth_password {}",
        "auth_pass x}}{}",
        'auth_pass "}}{}"',
        'auth_pass "a\\"{}"',
        "auth_pass x # {}",
        "auth_pass !{}",
        "auth_pass p\u00e4{}",
        "auth_pass x\x0b{}",
        "# auth_pass {}",
        "@lvs1 auth_pass {}",
        "auth_type PASS auth_pass {}",
        "auth_pass {} }} virtual_ipaddress {{",
        "authentication {{ auth_type PASS auth_pass {} }}",
        "authentication {{auth_pass {}}}",
        "authentication {{\n auth_pas {}\n}}",
        "authentication\n{{\n {}\n}}",
        "authentication x {{\n {}\n}}",
        "authentication {{\n auth_pass\n {}\n}}",
        "authentication {{\n auth_type {}\n auth_pass PASS\n}}",
        "authentication {{\n auth_type PASS {}\n}}",
        "authentication {{\n # {}\n}}",
        "SSL {{\n password {}\n}}",
        "SSL {{ password {} }}",
        "$PW={}\nauth_pass $PW",
        'auth_pass "${{PW}}"\n$PW = "{}"',
    ],
)
def test_a_password_is_hidden_wherever_it_stands(text: str) -> None:
    text = text.format(PASSWORD)
    for whole in (text, f"vrrp_instance x {{\n {text}\n}}\n"):
        shown = hidden(whole).text
        assert PASSWORD not in shown
        assert HIDDEN in shown
        assert shown.count("\n") == whole.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        'auth_pass "<lvsc-secret:env:VRRP_PASSWORD>"',
        'script "/usr/bin/check auth_pass x"',
        "# service password",
        "# service password-db",
        "vrrp_script authentication {\n script /bin/true\n}",
        "vrrp_instance auth-pass-ipv4 {\n interface eth0\n}",
        "track_script {\n authentication\n password\n}\ninterface eth0",
        "authentication {\n auth_type AH\n}\ninterface eth0",
    ],
)
def test_nothing_else_is_hidden(text: str) -> None:
    assert hidden(text).text == text


def test_what_is_written_with_placeholders_is_left_as_it_is() -> None:
    for part in parts_of("everything"):
        for artifact in KEEPALIVED.emit(part).artifacts:
            assert hidden(artifact.text).text == artifact.text


@pytest.mark.parametrize("value", [PASSWORD, f'"{PASSWORD}"', f"{PASSWORD}-and-more"])
def test_a_plain_password_is_known_to_be_the_same(value: str) -> None:
    source = hidden(BLOCK.format(value))
    (node,) = (node for node in KEEPALIVED.read(source).nodes if isinstance(node, VrrpInstance))
    assert node.authentication is not None
    assert node.authentication.password.value == Secret(PASSWORD)
    assert PASSWORD not in repr(node)


def test_a_definition_in_place_of_a_password_is_no_value() -> None:
    assert hidden("auth_pass $PW").secrets == {}


@pytest.mark.parametrize("value", ["x }\nnopreempt", "x y", 'x"', "x} nopreempt {"])
def test_a_line_that_is_hidden_with_more_than_a_password_is_not_taken_for_understood(value: str) -> None:
    as_it_is, without = read(BLOCK.format(value)), KEEPALIVED.read(hidden(BLOCK.format(value)))
    assert bool(as_it_is.problems) <= bool(without.problems)
