from pathlib import Path

import pytest

from support import guest

pytestmark = pytest.mark.kernel


def test_a_guest_returns_what_its_command_said_and_its_exit_status() -> None:
    result = guest.run(["sh", "-c", 'cat note; echo "$0" >&2; exit 3', "a 'b'"], files={"note": "hello\n"})
    assert (result.returncode, result.stdout, result.stderr) == (3, "hello\n", "a 'b'\n")


def test_a_guest_cannot_write_this_machines_files() -> None:
    made = Path(__file__).with_name("made")
    result = guest.run(["sh", "-c", 'mount -o remount,rw /; : >"$0"', str(made)])
    assert "cannot create" in result.stderr
    assert not made.exists()


def test_a_guest_that_does_not_end_in_time_is_ended() -> None:
    with pytest.raises(guest.GuestError, match="ended after 3 s"):
        guest.run(["sh", "-c", "while :; do :; done"], timeout=3)
