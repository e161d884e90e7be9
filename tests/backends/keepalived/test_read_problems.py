"""What the reader does not understand is a problem at its word."""

import pytest

from lvsc.plugin import (
    Source,
)
from support.ipvs import HOST

from .reading import KEEPALIVED, read

TCP_CHECK = "real_server 10.11.12.21 80 {\n TCP_CHECK {\n connect_port 80\n }\n}\n"
SERVICE = f"virtual_server 192.0.2.10 80 {{\n protocol TCP\n%s\n{TCP_CHECK}}}\n"
SERVER = "virtual_server 192.0.2.10 80 {\n protocol TCP\n real_server 10.11.12.21 80 {\n%s\n }\n}\n"
CHECKER = SERVER % " HTTP_GET {\n%s\n url {\n path /\n }\n }"
INSTANCE = "vrrp_instance public {\n interface eth0\n virtual_router_id 51\n%s\n virtual_ipaddress {\n 192.0.2.10/24\n }\n}\n"
PROBLEMS: dict[str, tuple[str, tuple[int, int], str, str]] = {
    "open block": ("global_defs {\n router_id a\n", (1, 1), "KAD101", "not closed"),
    "brace too many": ("global_defs {\n}\n}\n", (3, 1), "KAD101", "no block to close"),
    "block without a name": ("global_defs {\n}\n{\n}\n", (3, 1), "KAD101", "has no name"),
    "open quote": (
        'global_defs {\n router_id "a\n}\n',
        (2, 12),
        "KAD101",
        "a quote in this line is not closed",
    ),
    "line too long": (f"global_defs {{\n router_id {'a' * 1100}\n}}\n", (2, 1), "KAD101", "longer than 1022"),
    "line continued": (
        "global_defs {\n router_id a \\\n}\n",
        (2, 14),
        "KAD101",
        "a backslash is read differently",
    ),
    "not ASCII": ("global_defs {\n router_id é\n}\n", (2, 12), "KAD101", "not printable ASCII"),
    "include": ("global_defs {\n}\ninclude /etc/x\n", (3, 1), "KAD102", "`include`"),
    "condition": ("global_defs {\n @lvs1 router_id a\n}\n", (2, 2), "KAD102", "`@`"),
    "definition": ("$A=1\nglobal_defs {\n}\n", (1, 1), "KAD102", "definitions"),
    "built-in definition": ("global_defs {\n router_id ${_HASH}\n}\n", (2, 2), "KAD102", "definitions"),
    "sequence": ("~SEQ(x, 1, 2) a\nglobal_defs {\n}\n", (1, 1), "KAD102", "`~SEQ`"),
    "unknown block": (
        "static_routes {\n}\nglobal_defs {\n}\n",
        (1, 1),
        "KAD103",
        "`static_routes` is not supported",
    ),
    "group of virtual servers": (
        f"virtual_server group a {{\n{TCP_CHECK}}}\n",
        (1, 16),
        "KAD103",
        "by group is not supported",
    ),
    "misspelt keyword": (SERVICE % " lvs_shed rr", (3, 2), "KAD103", "`lvs_shed` in `virtual_server`"),
    "keyword that lvsc has no word for": (
        SERVICE % " alpha",
        (3, 2),
        "KAD103",
        "`alpha` in `virtual_server`",
    ),
    "keyword of another checker": (CHECKER % "  helo_name a", (5, 3), "KAD103", "`helo_name` in `HTTP_GET`"),
    "scheduler": (SERVICE % " lvs_sched best", (3, 12), "KAD104", "`best` is not one of"),
    "value too many": (SERVICE % " lvs_sched rr wrr", (3, 15), "KAD104", "a value too many"),
    "value missing": (SERVICE % " lvs_sched", (3, 11), "KAD104", "a value is missing"),
    "method": (SERVICE % " lvs_method NATS", (3, 13), "KAD104", "`NATS` is not a forwarding method"),
    "tunnel of nat": (SERVICE % " lvs_method NAT type gre", (3, 17), "KAD104", "too many"),
    "gue without a port": (SERVICE % " lvs_method TUN type gue", (3, 17), "KAD104", "gue has a port"),
    "persistence of 0": (SERVICE % " persistence_timeout 0", (3, 22), "KAD104", "`0` is not a number"),
    "mask": (SERVICE % " persistence_granularity 255.0.255.0", (3, 26), "KAD104", "is not a mask"),
    "weight": (SERVER % "  weight -1", (4, 10), "KAD104", "`-1` is not a number from 0"),
    "time": (SERVICE % " delay_loop soon", (3, 13), "KAD104", "`soon` is not a time"),
    "track script with a weight": (
        INSTANCE % " track_script {\n up weight 5\n }",
        (5, 5),
        "KAD104",
        "`weight` is not understood here",
    ),
    "start as master": (INSTANCE % " state MASTER", (4, 8), "KAD104", "`MASTER` is not one of BACKUP"),
    "address with a label": (
        INSTANCE % " virtual_ipaddress_excluded {\n 192.0.2.11/24 label x\n }",
        (5, 16),
        "KAD104",
        "`label` is not understood here",
    ),
    "script user's group": (
        "global_defs {\n script_user a b\n enable_script_security\n}\n",
        (2, 16),
        "KAD104",
        "a value too many",
    ),
    "protocol of a mark": (
        f"virtual_server fwmark 80 {{\n protocol TCP\n{TCP_CHECK}}}\n",
        (2, 2),
        "KAD105",
        "a virtual server of a mark has no protocol",
    ),
    "keyword twice": (SERVICE % " lvs_sched rr\n lb_algo rr", (4, 2), "KAD105", "`lb_algo` is here twice"),
    "flag before its scheduler": (
        SERVICE % " sh-port\n lvs_sched sh",
        (3, 2),
        "KAD105",
        "`sh-port` is no flag of the scheduler sh, or does not come after it",
    ),
    "no real server": (
        "virtual_server 192.0.2.10 80 {\n protocol TCP\n}\n",
        (1, 1),
        "KAD105",
        "without real servers",
    ),
    "virtual server twice": (
        SERVICE % "" + SERVICE % "",
        (10, 1),
        "KAD105",
        "this virtual server is here twice",
    ),
    "real server twice": (SERVICE % TCP_CHECK, (9, 1), "KAD105", "this real server is here twice"),
    "quorum too high": (SERVICE % " quorum 2", (3, 2), "KAD105", "above the total weight"),
    "port that is replaced": (
        SERVICE % " real_server 10.11.12.22 81 {\n lvs_method DR\n }",
        (3, 26),
        "KAD104",
        "packets go to port 80",
    ),
    "user without security": ("global_defs {\n script_user a\n}\n", (2, 2), "KAD105", "without the other"),
    "nobody to fail": (
        SERVER % '  notify_up "/bin/true"',
        (3, 2),
        "KAD105",
        "nothing checks the real server",
    ),
    "mail for some": (
        "global_defs {\n notification_email {\n a@b\n }\n notification_email_from a@b\n smtp_server 192.0.2.1\n}\n"
        + INSTANCE % "",
        (2, 2),
        "KAD105",
        "some changes are told by mail",
    ),
    "group of an unknown instance": (
        "vrrp_sync_group a {\n group {\n b\n c\n }\n}\n",
        (1, 1),
        "KAD105",
        "the VRRP instance `b` of the group is not in the file",
    ),
    "script that is not there": (
        INSTANCE % " track_script {\n up\n }",
        (1, 1),
        "KAD105",
        "`up` is not in the file",
    ),
}


@pytest.mark.parametrize(("text", "place", "code", "message"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_is_not_understood_is_a_problem_at_its_word(
    text: str, place: tuple[int, int], code: str, message: str
) -> None:
    problems = read(text).problems
    places = [problem.place.origin for problem in problems if problem.place is not None]
    found = [
        (problem.code.id, (at.line, at.column))
        for problem, at in zip(problems, places, strict=True)
        if message in problem.message
    ]
    assert (code, place) in found, problems
    assert all(problem.help for problem in problems)


def test_the_nearest_keyword_is_suggested() -> None:
    (problem,) = read(SERVICE % " lvs_shed rr").problems
    assert problem.help == "did you mean `lvs_sched`?"


def test_a_file_without_blocks_of_lvs_is_not_recognised() -> None:
    for text in ("", "[global]\n", "table ip lvsc {\n}\n", "bfd_instance a {\n}\n"):
        assert not KEEPALIVED.recognises(Source(host=HOST, file="keepalived.conf", text=text))
