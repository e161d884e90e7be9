"""The judge of keywords itself."""

import pytest

from lvsc.targets import Version
from support.keepalived_keywords import NotReadError, keywords, unknown_keywords

FILE = """\
# a comment with { and "
global_defs {
    router_id "a # b" ! not this
    notification_email {
        not_a_keyword@example.org
    }
}
virtual_server 192.0.2.10 80 {
    lvs_sched mh
    real_server 10.11.12.21 80 {
        UDP_CHECK {
            payload 00
        }
    }
}
"""


def test_keywords_are_read_with_their_nesting() -> None:
    assert [("/".join(keyword.path), keyword.values) for keyword in keywords(FILE)] == [
        ("global_defs", ()),
        ("global_defs/router_id", ('"a # b"',)),
        ("global_defs/notification_email", ()),
        ("virtual_server", ("192.0.2.10", "80")),
        ("virtual_server/lvs_sched", ("mh",)),
        ("virtual_server/real_server", ("10.11.12.21", "80")),
        ("virtual_server/real_server/UDP_CHECK", ()),
        ("virtual_server/real_server/UDP_CHECK/payload", ("00",)),
    ]


@pytest.mark.parametrize(
    ("version", "unknown"),
    [
        pytest.param("2.2.0", [], id="2.2.0"),
        pytest.param(
            "2.1.5", ["line 12: virtual_server/real_server/UDP_CHECK/payload is of 2.2.0"], id="2.1.5"
        ),
        pytest.param(
            "1.3.5",
            [
                "line 9: virtual_server/lvs_sched=mh is of 2.0.7",
                "line 11: virtual_server/real_server/UDP_CHECK is of 2.1.0",
                "line 12: virtual_server/real_server/UDP_CHECK/payload is of 2.2.0",
            ],
            id="1.3.5",
        ),
    ],
)
def test_a_keyword_younger_than_the_release_is_unknown(version: str, unknown: list[str]) -> None:
    assert unknown_keywords(FILE, version) == unknown
    assert unknown_keywords(FILE, Version.parse(version)) == unknown


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        pytest.param(
            "global_defs {\n weight 1\n}\n", "global_defs/weight is of no release", id="wrong place"
        ),
        pytest.param("vrrp_track_file a {\n}\n", "vrrp_track_file is gone since 2.0.20", id="gone"),
    ],
)
def test_a_keyword_in_the_wrong_place_or_time_is_unknown(text: str, unknown: str) -> None:
    (complaint,) = unknown_keywords(text, "2.2.7")
    assert complaint.endswith(unknown)


@pytest.mark.parametrize(
    "text",
    ["}\n", "global_defs {\n", 'a "b\n', "a { b\n", "group {\n b {\n}\n}\n"],
    ids=["brace too many", "brace too few", "open quote", "brace inside", "block of values"],
)
def test_what_is_not_understood_is_said(text: str) -> None:
    with pytest.raises(NotReadError):
        list(keywords(text))
