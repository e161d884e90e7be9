"""What is not understood of a virtual service leaves open what the service does: nothing of it is told as changed or gone."""

import pytest

from lvsc.compare.changes import Aspect
from lvsc.compare.difference import compare
from lvsc.compare.sides import Side
from lvsc.report.diff_text import render
from support.sides import of_text, packets

TABLE = """\
-A -t 192.0.2.10:80 -s rr
-a -t 192.0.2.10:80 -r 10.0.0.1:80 -m -w 1
-A -t 192.0.2.10:443 -s rr
-a -t 192.0.2.10:443 -r 10.0.0.1:443 -m -w 1
"""
SERVICE = """\
virtual_server 192.0.2.10 {port} {{
 protocol TCP
 lvs_sched rr
 real_server 10.0.0.1 {port} {{
  weight 1
 }}
}}
"""
INSTANCE = "vrrp_instance a {\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {\n  192.0.2.10/32\n }\n}\n"
CONF = INSTANCE + SERVICE.format(port=80) + SERVICE.format(port=443)

DOUBTS: dict[str, tuple[str, str, str]] = {
    "an option without its value": (TABLE, "-s rr\n-a", "-s rr -p\n-a"),
    "an option that is not known": (TABLE, "-t 192.0.2.10:80 -s rr", "-t 192.0.2.10:80 -s rr --new"),
    "a service that is said in another way": (TABLE, "-A -t 192.0.2.10:80", "-A --tcp-service=192.0.2.10:80"),
    "everything of a service in another way": (TABLE, "-t 192.0.2.10:80", "-t192.0.2.10:80"),
    "a real server that is not understood": (TABLE, "10.0.0.1:80 -m -w 1", "10.0.0.1:80 -m -w 1 --new"),
    "a real server twice": (
        TABLE,
        "10.0.0.1:80 -m -w 1",
        "10.0.0.1:80 -m -w 2\n-a -t 192.0.2.10:80 -r 10.0.0.1:80 -m",
    ),
    "a service that is removed again": (
        TABLE,
        "-A -t 192.0.2.10:443",
        "-D -t 192.0.2.10:80\n-A -t 192.0.2.10:443",
    ),
    "a keyword of a service": (CONF, " lvs_sched rr", " lvs_sched rr\n smtp_alert"),
    "a value of a service": (CONF, " lvs_sched rr", " lvs_sched rrr"),
    "a keyword of a real server": (CONF, "  weight 1", "  weight 1\n  new 1"),
    "a service by group": (CONF, "virtual_server 192.0.2.10 80", "virtual_server group web"),
    "a service in another file": (CONF, SERVICE.format(port=80), "include web.conf\n"),
    "a real server in another file": (CONF, " lvs_sched rr", " lvs_sched rr\n include web.conf"),
    "a service twice": (CONF, INSTANCE, INSTANCE + SERVICE.format(port=80)),
    "a block that is not closed": (CONF, "  weight 1\n }", "  weight 1\n"),
    "a keyword of an instance": (CONF, " interface eth0", " interface eth0\n new 1"),
}


def sides(text: str, piece: str, odd: str) -> tuple[Side, Side]:
    assert piece in text
    everywhere = piece == "-t 192.0.2.10:80"
    changed = text.replace(piece, odd, -1 if everywhere else 1)
    return of_text(text, name="plain"), of_text(changed, name="odd")


@pytest.mark.parametrize(("text", "piece", "odd"), DOUBTS.values(), ids=DOUBTS)
@pytest.mark.parametrize("first", [True, False], ids=["old", "new"])
def test_what_is_not_understood_is_open_and_not_lost(text: str, piece: str, odd: str, first: bool) -> None:
    plain, doubtful = sides(text, piece, odd)
    difference = compare(doubtful, plain) if first else compare(plain, doubtful)
    assert {unknown.aspect for unknown in difference.unknown} == {Aspect.SERVICE}
    assert (difference.packets, difference.settings, difference.connections) == ((), (), ())


def test_what_is_understood_is_told_beside_it() -> None:
    old = of_text(TABLE)
    new = of_text(TABLE.replace("-s rr\n-a", "-s rr -p\n-a", 1).replace("10.0.0.1:443", "10.0.0.2:443"))
    assert packets(compare(old, new)) == [("treatment", "tcp to 192.0.2.10:443")]


def test_a_service_that_goes_from_a_text_that_is_understood_is_lost() -> None:
    new = of_text("".join(TABLE.splitlines(keepends=True)[2:]))
    assert packets(compare(of_text(TABLE), new)) == [("loss", "tcp to 192.0.2.10:80")]


def test_a_message_is_no_code() -> None:
    plain, odd = sides(*DOUBTS["a keyword of a service"])
    said = render(compare(plain, odd), {}, colour=False)
    assert "on lvs1: `smtp_alert` in `virtual_server` is not understood at odd:" in said
