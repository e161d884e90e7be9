"""Rehearses a compiled cluster: chooses the kernel, makes the machines, loads them, and proves what time allows."""

import shutil
import time
from collections.abc import Callable, Container, Sequence
from pathlib import Path

from lvsc import targets
from lvsc.compile import Compiled
from lvsc.diagnostics import Anchor, DiagnosticError, Place
from lvsc.graph.nodes import Forwarding, HttpProbe, KernelModule, PingProbe, ScriptProbe
from lvsc.graph.traffic import Protocol
from lvsc.laboratory.kernels import Kernel, nftables, why_not
from lvsc.laboratory.laboratory import Laboratory, laboratory
from lvsc.laboratory.services import FTP, check_of, speaks_ftp
from lvsc.laboratory.site import Site
from lvsc.laboratory.topology import Unbuildable
from lvsc.lowering.lowered import LoweredService
from lvsc.rehearsal import codes
from lvsc.rehearsal.asking import Asking, bracketed
from lvsc.rehearsal.dying import Dying, active_director
from lvsc.rehearsal.found import Found, LeftOut, some
from lvsc.spec.model import Firewall, Vrrp, reached_at

#: More machines than this make a laboratory slow; the services beyond are left out.
MACHINES = 40
#: So many connections of a service may be open or remembered at once while it is rehearsed.
_CONNECTIONS = 1000
#: Which part of the time the directors have to take their addresses and servers in.
_SETTLING = 0.5
#: Where the programs of root's are, whoever runs lvsc.
_PROGRAMS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: Backends that are named as the daemon that they start.
_DAEMONS = {"keepalived", "vsftpd"}

Tell = Callable[[str], None]


def kernels(compiled: Compiled, wanted: Kernel | None) -> tuple[Kernel, ...]:
    """The kernels that may rehearse a cluster, the quickest first: the one asked for, or all that this machine can run.

    Raises:
        DiagnosticError: There is none.
    """
    fitting = [k for k in Kernel if nftables(k) or not _runs(compiled, "nft")]
    reasons, usable = [], []
    for kernel in Kernel if wanted is None else (wanted,):
        if kernel not in fitting:
            reasons.append(
                f"{kernel.value}: its nftables knows no IP, and nftables is the packet filter here"
            )
        elif (why := why_not(kernel)) is None:
            usable.append(kernel)
        else:
            reasons.append(f"{kernel.value}: {why}")
    if not usable:
        said = "no kernel here can rehearse this cluster"
        raise DiagnosticError(
            [codes.CANNOT.at(None, said, notes=reasons, help="do what one of the notes says")]
        )
    return tuple(usable)


def rehearse(compiled: Compiled, tree: Path, kernel: Kernel | None, limit: float, tell: Tell) -> Found:
    """Rehearse a cluster.

    Args:
        compiled: The cluster.
        tree: The directory of the cluster that was built.
        kernel: Where; None takes the quickest that can.
        limit: Seconds from when the hosts are loaded; no proof is begun that may end later.
        tell: Is told what is being done, a line each.

    Raises:
        DiagnosticError: A kernel, a module or a program is missing, or the spec leaves no room for what a laboratory needs.
        LaboratoryError: The kernel did not come up, or is gone.
    """
    usable = kernels(compiled, kernel)
    _refuse_missing_programs(compiled)
    modules = sorted({node.name for node in compiled.lowered.graph if isinstance(node, KernelModule)})
    for number, chosen in enumerate(usable):
        tell("making namespaces" if chosen is Kernel.NATIVE else f"booting a {chosen.value} kernel")
        with laboratory(chosen) as running:
            lacking = running.lacks(modules)
            if lacking and number + 1 < len(usable):
                continue
            if lacking:
                said = f"the {chosen.value} kernel has no module `{'`, `'.join(lacking)}`"
                raise DiagnosticError([codes.CANNOT.at(None, said, help="try another `--kernel`")])
            found = Found(kernel=chosen.value)
            _note_limits(compiled, chosen, found)
            site = _site(compiled, tree, running, found)
            tell(f"loading the hosts: {len(site.managed)}")
            site.serve()
            if _load(site, found):
                _prove(site, found, limit, tell)
            return found
    raise AssertionError("kernels() gives one at least")


def _site(compiled: Compiled, tree: Path, running: Laboratory, found: Found) -> Site:
    """The machines, with the servers of the services that can be tried."""
    services = _that_run(compiled, _within_reach(compiled, found), running, found)
    try:
        return Site(running, compiled.lowered, tree, services)
    except Unbuildable as error:
        raise DiagnosticError(
            [codes.CANNOT.at(None, str(error), help="rehearse a spec with other networks")]
        ) from error


def _prove(site: Site, found: Found, limit: float, tell: Tell) -> None:
    end = time.monotonic() + limit

    def left() -> float:
        return end - time.monotonic()

    tell("waiting for the directors")
    _settle(site, limit * _SETTLING)
    if limit and isinstance(site.cluster.failover, Vrrp) and not _taken(site):
        found.diagnostics.append(
            codes.NOBODY.at(
                Place(site.cluster.failover.origin, Anchor.TABLE),
                f"{limit * _SETTLING:.0f} s after they were loaded no director has a virtual address",
                help="give more `--limit`, or rehearse without the scripts that are tracked",
            )
        )
        return
    asking, dying = Asking(site, site.services, found), Dying(site, site.services, found, left)

    def again(proof: Callable[[], None]) -> Callable[[], None]:
        return lambda: _again(proof, found, lambda: _settle(site, left() * _SETTLING))

    proofs = (
        ("every address and port", asking.reach),
        ("weights", again(asking.balance)),
        ("bundles and persistence", again(asking.stay)),
        ("FTP", asking.ftp),
        ("ports beside the services'", asking.beside),
        ("a real server's death and return", dying.health),
        ("sorry servers", dying.sorry),
        ("a director's death", dying.failover),
    )
    for what, proof in proofs:
        if left() <= 0:
            found.left_out.append(LeftOut(what, "`--limit` was over"))
            continue
        tell(what)
        proof()


def _again(proof: Callable[[], None], found: Found, settle: Callable[[], None]) -> None:
    """Try a proof that fails once more when the directors have settled.

    A health check that a busy machine makes fail leads clients elsewhere, too; what files lack is lacking the second time.
    """
    proved, diagnostics = len(found.proved), len(found.diagnostics)
    proof()
    if len(found.diagnostics) > diagnostics:
        del found.proved[proved:], found.diagnostics[diagnostics:]
        settle()
        proof()


def _load(site: Site, found: Found) -> bool:
    """Whether every host loaded without a word."""
    for host in site.managed:
        site.install(host)
        for done in site.load(host):
            if not done.quiet:
                said = done.stderr.strip() or f"status {done.status}"
                found.diagnostics.append(
                    codes.NOT_LOADED.at(
                        None,
                        f"`{host}` does not load: `{' '.join(done.argv)}` says something",
                        notes=said.splitlines()[:10],
                        help="where this machine's release does not know what the target's knows, say another `--target`",
                    )
                )
    return not found.diagnostics


def _settle(site: Site, limit: float) -> None:
    """Wait until the first director has all virtual addresses and each all real servers, at most `limit` seconds.

    Of several that begin at once another may be first and give way later, which would move clients in the middle of a
    proof. What never comes, the proofs find.
    """
    failover = site.cluster.failover
    stays = not isinstance(failover, Vrrp) or not failover.preempt or failover.preempt_delay > 0
    fitting = site.directors if stays else site.directors[:1]
    addresses = [ip for each in site.services for address in each.service.addresses for ip in address.ips]
    servers = {
        f"-r {bracketed(ip)}:"
        for each in site.services
        for family in each.service.families
        for server in each.service.pool.enabled
        if (ip := reached_at(server, family)) is not None
    }
    end = time.monotonic() + limit
    while time.monotonic() < end:
        tables = [site.run(director, "ipvsadm", "-Sn") for director in site.directors]
        complete = all(server in table for table in tables for server in servers)
        if complete and active_director(site, addresses) in fitting:
            return
        time.sleep(0.3)


def _taken(site: Site) -> bool:
    """Whether a director has a virtual address."""
    addresses = {ip for each in site.services for address in each.service.addresses for ip in address.ips}
    return not addresses or any(active_director(site, [ip]) is not None for ip in addresses)


def _within_reach(compiled: Compiled, found: Found) -> tuple[LoweredService, ...]:
    """The services, in the spec's order, whose machines a laboratory can hold."""
    machines = {director.name for director in compiled.cluster.directors}
    chosen: list[LoweredService] = []
    beyond: list[str] = []
    for lowered in compiled.lowered.services:
        more = {server.name for server in lowered.service.pool.enabled}
        if len(machines | more) > MACHINES and chosen:
            beyond.append(lowered.service.name)
        else:
            machines |= more
            chosen.append(lowered)
    if beyond:
        found.left_out.append(
            LeftOut(f"{len(beyond)} services ({some(beyond)})", f"more than {MACHINES} machines")
        )
    return tuple(chosen)


def _that_run(
    compiled: Compiled, services: Sequence[LoweredService], running: Laboratory, found: Found
) -> tuple[LoweredService, ...]:
    """The services that this kernel can serve."""
    chosen: list[LoweredService] = []
    ranges = {each.host for each in compiled.steps if each.backend == "vsftpd"}
    for lowered in services:
        if why := _beyond(lowered, ranges):
            found.left_out.append(LeftOut(lowered.service.name, why))
        else:
            chosen.append(lowered)
    if any(_speaks_sctp(each) for each in services) and running.lacks(["sctp"]):
        for lowered in [each for each in chosen if _speaks_sctp(each)]:
            found.left_out.append(
                LeftOut(lowered.service.name, f"the {running.kernel.value} kernel has no SCTP")
            )
            chosen.remove(lowered)
    return tuple(chosen)


def _beyond(lowered: LoweredService, ranges: Container[str]) -> str | None:
    """Why no server of a laboratory can stand for a service's own; None where one can.

    Args:
        lowered: The service.
        ranges: The hosts whose FTP servers get their passive range from lvsc.
    """
    pool = lowered.service.pool
    if any(not one.managed and one.forwarding is not Forwarding.NAT for one in pool.enabled):
        return "somebody else sets up its real servers"
    check = check_of(lowered)
    probe = check.check.probe if check is not None else None
    if any(0 < one.upper_threshold < _CONNECTIONS for one in pool.enabled):
        return (
            f"its real servers may refuse the connections of a rehearsal: a threshold is below {_CONNECTIONS}"
        )
    if isinstance(probe, HttpProbe) and (probe.digest or probe.regex):
        return "only its own servers have the page that its health check asks for"
    if speaks_ftp(lowered) and lowered.plan.probe_port != FTP:
        return f"its control port is not {FTP}, where the laboratory's FTP servers are"
    if speaks_ftp(lowered) and len(lowered.ports) > 1 and any(s.name not in ranges for s in pool.enabled):
        return "somebody else gives its FTP servers their passive range"
    return None


def _speaks_sctp(lowered: LoweredService) -> bool:
    return any(port.protocol is Protocol.SCTP for port in lowered.ports)


def _note_limits(compiled: Compiled, kernel: Kernel, found: Found) -> None:
    """What no rehearsal here can show."""
    target = targets.load(compiled.cluster.target)
    found.left_out.append(
        LeftOut(target.title, "this machine's programs ran, and a kernel of this machine, not that release's")
    )
    if not nftables(kernel) and _runs(compiled, "iptables-restore"):
        found.left_out.append(
            LeftOut("iptables over nftables", "the legacy variant ran: this kernel has no other")
        )
    if kernel is Kernel.NATIVE and compiled.cluster.tuning is not None:
        found.left_out.append(LeftOut("the sizes of the kernel's tables", "they are this machine's"))
    if compiled.cluster.firewall in (Firewall.STATEFUL, Firewall.FIREWALLD):
        found.left_out.append(LeftOut("the directors' own firewall", "its rules are not in the spec"))
    for lowered in compiled.lowered.services:
        check = check_of(lowered)
        probe = check.check.probe if check is not None else None
        if isinstance(probe, PingProbe | ScriptProbe):
            found.left_out.append(
                LeftOut(f"{lowered.service.name}: its health check", "nothing here makes it fail")
            )
        if speaks_ftp(lowered):
            found.left_out.append(
                LeftOut(f"{lowered.service.name}: deaths", "FTP is tried while all are alive")
            )


def _refuse_missing_programs(compiled: Compiled) -> None:
    """Every program that a host runs must be on this machine.

    Raises:
        DiagnosticError: One is not.
    """
    names = {Path(c[0]).name for each in compiled.steps for c in (*each.step.load, *each.step.enable)}
    names -= {"systemctl", "rc-service", "rc-update"}
    names |= {each.backend for each in compiled.steps if each.backend in _DAEMONS}
    names |= {"ipvsadm", "ip"}
    missing = sorted(name for name in names if shutil.which(name, path=_PROGRAMS) is None)
    if missing:
        said = f"this machine has no `{'`, `'.join(missing)}`"
        raise DiagnosticError([codes.CANNOT.at(None, said, help="install the packages that hold them")])


def _runs(compiled: Compiled, program: str) -> bool:
    """Whether a host loads something by a program."""
    return any(Path(c[0]).name == program for each in compiled.steps for c in each.step.load) or any(
        program in line.text
        for file in compiled.files
        if file.artifact.path.endswith(".sh")
        for line in file.artifact.lines
    )
