"""The script that makes the kernel's table the wanted one without flushing it, so that connections live."""

from shlex import quote

from lvsc.plugin import ConnectionSync, HostGraph, Target, Text, Timeouts
from lvsc_ipvsadm import rules, sync

PATH = "/etc/lvsc/ipvsadm.sh"

_SETTINGS = """\
# start: makes the kernel's IPVS table the one in ipvsadm.rules. What is the same is not touched, so connections live.
# stop: empties the table.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
ipvsadm={ipvsadm}
rules={rules}
"""

# The awk program runs in mawk, gawk and busybox's awk. Addresses are compared in full because C libraries shorten them
# differently (musl does it to a single zero), and the lines' order is ignored because ipvsadm's is none: it compares
# addresses by the sign of a difference that overflows.
_FUNCTIONS = r"""
# Prints the kernel's table as ipvsadm saves it, and once more with the thresholds, which it does not save.
table() {
	"$ipvsadm" -Sn && "$ipvsadm" -Ln --thresholds
}

# Reads what table() printed; prints the commands that make it the wanted table, nothing where it is the same.
commands() {
	awk '
	# An IPv6 address and port with all eight groups written out.
	function full(place,   end, text, gap, head, tail, n, m, i) {
		if (place !~ /^\[/) return place
		end = index(place, "]")
		text = substr(place, 2, end - 2)
		gap = index(text, "::")
		if (gap) {
			n = split(substr(text, 1, gap - 1), head, ":")
			m = split(substr(text, gap + 2), tail, ":")
			text = ""
			for (i = 1; i <= n; i++) text = text head[i] ":"
			for (; i <= 8 - m; i++) text = text "0:"
			for (i = 1; i <= m; i++) text = text tail[i] ":"
			text = substr(text, 1, length(text) - 1)
		}
		return "[" text substr(place, end)
	}

	# Takes a line apart: service, server (or nothing) and options, with the thresholds in upper and lower.
	function parse(   i) {
		service = $2 " " full($3)
		i = 4
		if ($i == "-6") { service = service " -6"; i++ }
		server = ""
		if ($1 == "-a") { server = service " -r " full($(i + 1)); i += 2 }
		options = ""; upper = lower = 0
		for (; i <= NF; i++) {
			if ($i == "-x") upper = $(++i)
			else if ($i == "-y") lower = $(++i)
			else if ($i == "--tun-type" && $(i + 1) == "ipip") i++   # older ones do not print it
			else options = options " " $i
		}
	}

	!live {
		parse()
		line[++lines] = $0
		key[lines] = server == "" ? service : server
		wanted[key[lines]] = options
		if (server != "") limits[server] = upper " " lower
		next
	}

	$1 == "-A" || $1 == "-a" {
		parse()
		if (server == "") { there[service] = options; services[++n_services] = service }
		else { there[server] = options; servers[++n_servers] = server; of[server] = service }
		next
	}

	# The listing with the thresholds.
	$1 == "TCP" { current = "-t " full($2) }
	$1 == "UDP" { current = "-u " full($2) }
	$1 == "SCTP" { current = "--sctp-service " full($2) }
	$1 == "FWM" { current = "-f " $2 ($3 == "IPv6" ? " -6" : "") }
	$1 == "->" { limited[current " -r " full($2)] = $3 " " $4 }

	END {
		for (i = 1; i <= lines; i++) {
			k = key[i]
			letter = substr(line[i], 2, 1)
			if (!(k in there)) print line[i]
			else if (there[k] != wanted[k] || (letter == "a" && limited[k] != limits[k]))
				print (letter == "a" ? "-e" : "-E") substr(line[i], 3)
		}
		for (i = 1; i <= n_servers; i++)
			if (!(servers[i] in wanted) && (of[servers[i]] in wanted)) print "-d " servers[i]
		for (i = 1; i <= n_services; i++)
			if (!(services[i] in wanted)) print "-D " services[i]
	}
	' live=0 "$rules" live=1 -
}

# ipvsadm -R exits with 0 though the kernel refused lines, so what it says and the table afterwards decide.
load() {
	before=$(table)
	todo=$(printf '%s\n' "$before" | commands)
	[ -n "$todo" ] || return 0
	said=$(printf '%s\n' "$todo" | "$ipvsadm" -R 2>&1) || true
	after=$(table)
	todo=$(printf '%s\n' "$after" | commands)
	[ -n "$said$todo" ] || return 0
	{
		echo "$0: the IPVS table is not the one in $rules; ipvsadm said:"
		printf '%s\n' "$said" | sort | uniq -c | sed -n '1,20p'
		echo "it would still take:"
		printf '%s\n' "$todo" | sed -n '1,20p'
	} >&2
	return 1
}

# Stops the sync daemon $1 (master or backup) unless it is shown as $2.
stop_other() {
	daemons=$("$ipvsadm" -L --daemon)
	case $daemons in
	*"$2"*) ;;
	*) "$ipvsadm" --stop-daemon "$1" 2>/dev/null || true ;; # most often none runs
	esac
}

# Starts the sync daemon $1 with the options after $2 unless it is shown as $2.
start_daemon() {
	daemons=$("$ipvsadm" -L --daemon)
	case $daemons in
	*"$2"*) ;;
	*)
		state=$1
		shift 2
		"$ipvsadm" --start-daemon "$state" "$@"
		;;
	esac
}

stop() {
	stop_other master "no daemon"
	stop_other backup "no daemon"
	"$ipvsadm" -C
}
"""

CALL = """
case ${1:-} in
start | stop) "$1" ;;
*)
	echo "usage: $0 start | stop" >&2
	exit 2
	;;
esac
"""


def prelude(ipvsadm: str) -> str:
    """What comes before the function `start`, the same for every director but for the program's path."""
    return _SETTINGS.format(ipvsadm=quote(ipvsadm), rules=quote(rules.PATH)) + _FUNCTIONS


def script(header: str, graph: HostGraph, target: Target) -> Text:
    """The script for a director. `start` changes nothing when it is done twice, and prints nothing unless it fails."""
    text = Text()
    text.extend(["#!/bin/sh", header])
    text.extend(prelude(target.program("ipvsadm")).splitlines())
    text.extend(["", "start() {"])
    _start(text, graph, target)
    text.add("}")
    text.extend(CALL.splitlines())
    return text


def _start(text: Text, graph: HostGraph, target: Target) -> None:
    """The body of the function `start`: the daemons that must go first, then the table, then those that must run.

    While a daemon runs, the kernel refuses servers of another family than their service, and the other way round
    (ip_vs_ctl.c, mixed_address_family_dests), so that going from one to the other needs this order.
    """
    connections = graph.one(ConnectionSync)
    daemons = sync.daemons(connections, target) if connections else ()
    origin = connections.origin if connections else None
    for state in sync.STATES:
        shown = next((daemon.shown for daemon in daemons if daemon.state == state), "no daemon")
        text.add(f"\tstop_other {state} {quote(shown)}", origin)
    timeouts = graph.one(Timeouts)
    if timeouts:
        text.add(f'\t"$ipvsadm" --set {timeouts.tcp} {timeouts.tcp_fin} {timeouts.udp}', timeouts.origin)
    text.add("\tload")
    for daemon in daemons:
        words = list(map(quote, (daemon.state, daemon.shown, *daemon.options)))
        if daemon.unsaid:
            text.add(f'\tunsaid="{" ".join(daemon.unsaid)}"', origin)
            words.append("$unsaid")
        text.add(f"\tstart_daemon {' '.join(words)}", origin)
