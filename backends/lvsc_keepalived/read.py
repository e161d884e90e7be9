"""keepalived.conf read back into nodes, with the defaults that keepalived applies to what is unsaid.

The whole file is taken for one director's: nothing in it is foreign. `router_id`, a name in mails, and comments say nothing
that a node holds, but for the comment that names a virtual server's service.
"""

import re
from collections.abc import Iterator

from lvsc.plugin import Diagnostic, Node, Reading, Source, nearest, shown
from lvsc_keepalived import read_codes
from lvsc_keepalived.read_failover import Failover, read_group, read_instance, read_script
from lvsc_keepalived.read_fields import Report
from lvsc_keepalived.read_globals import Globals, read_globals
from lvsc_keepalived.read_lines import Document, Statement
from lvsc_keepalived.read_services import Services, read_service

_BLOCKS = ("global_defs", "vrrp_script", "vrrp_instance", "vrrp_sync_group", "virtual_server")
_BEGINNING = re.compile(
    r"^[ \t]*(?:global_defs|vrrp_script|vrrp_instance|vrrp_sync_group|virtual_server(?:_group)?)\b[^=\n]*(?:\{|$)",
    re.MULTILINE,
)
_SERVICE = re.compile(r"service (\S+)")


def recognises(text: str) -> bool:
    """Whether the text has a block of keepalived.conf that lvsc reads."""
    return _BEGINNING.search(text) is not None


def read(source: Source) -> Reading:
    """What the file says; what is not understood, or changes what is, is a problem at its line."""
    document = Document(source.file, source.text)
    reader = _Reader(source, document)
    nodes = tuple(reader.nodes())
    services = reader.services
    services.doubt(document.problems)
    return Reading(
        nodes=nodes,
        problems=tuple(sorted(document.problems, key=_place)),
        doubtful=frozenset(services.doubtful),
        partial=services.partial,
    )


class _Reader:
    def __init__(self, source: Source, document: Document) -> None:
        self._document = document
        self._report = Report(source.host, source.file, document.problems, source.secrets)
        self._globals: Statement | None = None
        self._found = Globals()
        self._failover = Failover()
        self._instances: list[Statement] = []
        self.services = Services()

    def nodes(self) -> Iterator[Node]:
        for statement in self._document.statements():
            yield from self._block(statement)
        # What global_defs says of instances may stand after them.
        for statement in self._instances:
            read_instance(self._report, statement, self._failover, self._found)
        yield from self._failover.nodes(self._report)
        sync = self._found.sync
        node = sync.node(self._report, self._failover.instances) if sync is not None else None
        if node is not None:
            yield node
        yield from self._email()

    def _block(self, statement: Statement) -> Iterator[Node]:
        report, word = self._report, statement.words[0]
        match word:
            case "global_defs":
                if self._globals is not None:
                    report.at(
                        read_codes.STRUCTURE,
                        statement,
                        "a second `global_defs` is here",
                        advice="put both into one",
                        other=report.origin(self._globals),
                    )
                    return
                self._globals = statement
                yield from read_globals(report, statement, self._found)
            case "vrrp_script":
                read_script(report, statement, self._failover)
            case "vrrp_instance":
                self._instances.append(statement)
            case "vrrp_sync_group":
                read_group(report, statement, self._failover)
            case "virtual_server":
                label = _SERVICE.fullmatch(self._document.comments.get(statement.line - 1, ""))
                yield from read_service(report, statement, label[1] if label else None, self.services)
            case _:
                self.services.partial = True
                like = nearest(word, _BLOCKS)
                report.at(
                    read_codes.KEYWORD,
                    statement,
                    f"`{shown(word)}` is not supported",
                    advice=f"did you mean `{like}`?" if like else "remove it",
                )

    def _email(self) -> Iterator[Node]:
        """The alerts, which are lvsc's word for all of them: those of real servers and those of VRRP."""
        found, failover = self._found, self._failover
        members = [*failover.members.values(), *(group for group, names in failover.groups.values() if names)]
        told = {found.alerts if found.alerts is not None else member.alerts for member in members}
        if found.email is not None and found.email_at is not None:
            if found.alerts is False or False in told:
                message = "some changes are told by mail and some are not"
                advice = "say `smtp_alert` in `global_defs`"
                self._report.at(read_codes.STRUCTURE, found.email_at, message, advice=advice)
            else:
                yield found.email
        elif True in told and found.alerts is None:
            at = next(member.statement for member in members if member.alerts)
            message = "changes are told by mail, and to nobody"
            self._report.at(
                read_codes.STRUCTURE, at, message, advice="say `notification_email` in `global_defs`"
            )


def _place(problem: Diagnostic) -> tuple[int, int]:
    origin = problem.place.origin if problem.place is not None else None
    return (origin.line or 0, origin.column or 0) if origin is not None else (0, 0)
