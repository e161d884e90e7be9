"""Codes of what `lvsc rehearse` finds."""

from lvsc.diagnostics import Code

NOT_LOADED = Code(
    "LVS801",
    "a host that does not load",
    """The host's files were put where they belong and the manifest's commands were run in their order, with the programs of
this machine. One failed or complained. Where its release is another than the target's, it may not know what the target's
knows; otherwise this is a defect of lvsc: report it with the spec.""",
)

NOT_REACHED = Code(
    "LVS802",
    "a service that does not answer",
    """Clients asked the service at its virtual address, as the spec says it, and no server of its pool answered. The servers were
up, and the hosts had loaded their files without a word. What else the operator's machines need (routes, an own firewall) is not
in the spec; the rehearsal gives the routes and sets up no firewall.""",
)

NOT_BALANCED = Code(
    "LVS803",
    "a service that is not balanced as its weights say",
    """Whole rounds of new connections did not spread over the real servers as the scheduler promises for these weights. `rr` and `wrr`
keep to them exactly, the least-connection schedulers only about, and only that much is asked of them.""",
)

NOT_TOGETHER = Code(
    "LVS804",
    "a client that changes its server",
    """The service is persistent, or its scheduler chooses by the client's address, so a client stays on one real server across all
ports of the service. One did not.""",
)

OPEN = Code(
    "LVS805",
    "a port that leads to real servers and should not",
    """A client asked a port that no service has, at an address of a service, and a real server behind it answered.""",
)

OTHER_CLIENT = Code(
    "LVS806",
    "a server that does not see its client",
    """By `nat`, `direct` and `tunnel` a real server sees the client's own address; with `source_nat` it sees the director's. It saw
another one.""",
)

NOT_TAKEN_OUT = Code(
    "LVS807",
    "a dead real server that goes on getting clients",
    """A real server stopped answering, and for longer than its health check allows, clients were still sent there; or it answered
again and got nobody; or the sorry server did not stand in for a pool without servers.""",
)

NOT_FAILED_OVER = Code(
    "LVS808",
    "a director whose death stops the services",
    """The director that had the virtual addresses was switched off, and the other did not take over; or connection
synchronisation is set up and an open connection did not survive.""",
)

CANNOT = Code(
    "LVS809",
    "a rehearsal that is not possible here",
    """A rehearsal needs a kernel with IPVS and the programs that the hosts run. The message says what is missing, and what to do.""",
    trouble=True,
)

NOBODY = Code(
    "LVS810",
    "virtual addresses that no director takes",
    """No director had a virtual address when half of the time of the proofs was over, so nothing more was tried. A director takes them
when it has heard nobody for three advertisement intervals, and not while a script that it tracks fails here. Give more time
(`--limit`), or rehearse with shorter intervals or without the script.""",
)

ALL = (
    NOT_LOADED,
    NOT_REACHED,
    NOT_BALANCED,
    NOT_TOGETHER,
    OPEN,
    OTHER_CLIENT,
    NOT_TAKEN_OUT,
    NOT_FAILED_OVER,
    CANNOT,
    NOBODY,
)
