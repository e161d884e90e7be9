"""What messages are made of."""

import pytest

from lvsc.plugin import shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/bin/sh -c 'echo \"a\"'", "/bin/sh -c 'echo \"a\"'"),
        (r"C:\temp", r"C:\temp"),
        ("é", "é"),
        ("a\nb\x1b[31m\u202e", r"a\nb\x1b[31m\u202e"),
    ],
    ids=["quotes", "backslash", "not ASCII", "control characters"],
)
def test_a_message_shows_a_text_as_it_was_written_and_on_one_line(text: str, said: str) -> None:
    assert shown(text) == said
