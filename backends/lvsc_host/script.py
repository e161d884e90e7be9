"""The script that brings up tunnel devices and adds addresses, and takes away what it added and no more."""

from collections.abc import Iterable

from lvsc.plugin import Artifact, Stage, Target, Text, TunnelDevice, VirtualAddress
from lvsc_host.tunnels import parts

PATH = "/etc/lvsc/addresses.sh"

# What the script added is kept in a file under /run, which forgets it at boot exactly as the kernel does: a label would
# do for IPv4 only, and `proto` needs Linux 5.18 and iproute2 6.3. What was there before is not recorded, so that it
# stays when the script stops, because a director's own address may be a virtual address as well.
_BEFORE = """\
# start: makes it so, again and again if need be. stop: takes away what start added, and no more.
set -eu
ip={ip}
added=/run/lvsc/addresses

wanted() {{
	cat <<'END'
"""

# Whether an address is there is asked of ip (`to`) and not compared as text, because libcs shorten IPv6 addresses
# differently. `nodad` is not said: the kernel looks for no duplicate of an address on loopback, and on another
# interface it should; busybox's ip does not know the word.
_AFTER = r"""END
}

there() {
	case $1 in
	address) [ -n "$("$ip" -o addr show dev "$3" to "${2%/*}" 2>/dev/null)" ] ;;
	device) [ -n "$("$ip" -o link show dev "$2" up 2>/dev/null)" ] ;;
	gre | ip6gre) "$ip" link show dev "$2" >/dev/null 2>&1 ;;
	gue) "$ip" fou show | grep -qx "port $2 gue *" ;;
	gue6) "$ip" fou show | grep -qx "port $2 gue -6 *" ;;
	ip6tnl0) "$ip" -6 tunnel show ip6tnl0 2>/dev/null | grep -q '^ip6tnl0: any/ipv6 ' ;;
	rp_filter) [ "$(cat "/proc/sys/net/ipv4/conf/$2/rp_filter" 2>/dev/null)" = 0 ] ;;
	esac
}

add() {
	case $1 in
	address)
		lifetime=
		# Not to be the source of tunnelled packets: the real server has the address, too, and would drop them.
		case $3:$2 in lo:*) ;; *:*:*) lifetime="preferred_lft 0" ;; esac
		"$ip" addr replace "$2" dev "$3" $lifetime
		;;
	device) "$ip" link set dev "$2" up ;;
	gre | ip6gre)
		"$ip" link add "$2" type "$1" local "$3" icsum
		# Until udev has given the new device the settings of sysctl.d, it would undo those made here.
		if command -v udevadm >/dev/null; then udevadm settle -t 10 >/dev/null 2>&1 || :; fi
		;;
	gue) "$ip" fou add port "$2" gue ;;
	gue6) "$ip" -6 fou add port "$2" gue ;;
	ip6tnl0) "$ip" -6 tunnel change ip6tnl0 mode "$2" ;;
	rp_filter) echo 0 >"/proc/sys/net/ipv4/conf/$2/rp_filter" ;;
	esac
}

remove() {
	case $1 in
	address)
		# Otherwise the kernel takes later addresses of the same network with it.
		case $2 in *.*) echo 1 >"/proc/sys/net/ipv4/conf/$3/promote_secondaries" ;; esac
		"$ip" addr del "$2" dev "$3"
		;;
	device) "$ip" link set dev "$2" down ;;
	gre | ip6gre) "$ip" link del "$2" ;;
	gue) "$ip" fou del port "$2" ;;
	gue6) "$ip" -6 fou del port "$2" ;;
	ip6tnl0) "$ip" -6 tunnel change ip6tnl0 mode ip6ip6 ;;
	rp_filter) cat /proc/sys/net/ipv4/conf/default/rp_filter >"/proc/sys/net/ipv4/conf/$2/rp_filter" ;;
	esac
}

# Sorting takes addresses away before the devices that carry their packets.
undo() {
	sort -u | while read -r kind name interface; do
		if there "$kind" "$name" "$interface"; then
			remove "$kind" "$name" "$interface"
		fi
	done
}

# Prints the added things that are wanted or, with -v, no longer wanted.
select_added() {
	grep -xF "$@" -f "$added.wanted" "$added" || [ $? -eq 1 ]
}

start() {
	# busybox's ip has no fou, no checksums of gre and no modes of ip6tnl0.
	if wanted | grep -qE '^(gue6?|(ip6)?gre|ip6tnl0) ' && ! "$ip" -V >/dev/null 2>&1; then
		echo "$0: these tunnels need the ip of iproute2, and $ip is another one: install iproute2 (apk add iproute2)" >&2
		return 1
	fi
	mkdir -p "${added%/*}"
	touch "$added"
	wanted >"$added.wanted"
	select_added -v >"$added.gone"
	undo <"$added.gone"
	select_added | sort -u >"$added.new"
	mv "$added.new" "$added"
	failed=0
	while read -r kind name interface; do
		if ! there "$kind" "$name" "$interface"; then
			# Recorded first, so that what an interrupted run added is not taken for somebody else's.
			echo "$kind $name${interface:+ $interface}" >>"$added"
			if ! add "$kind" "$name" "$interface"; then
				echo "$0: cannot add $kind $name${interface:+ on $interface}" >&2
				failed=1
			fi
		fi
	done <"$added.wanted"
	return $failed
}

stop() {
	if [ -e "$added" ]; then
		undo <"$added"
		rm -f "$added" "$added.wanted" "$added.gone"
	fi
}

case ${1:-} in
start | stop) "$1" ;;
*)
	echo "usage: $0 start|stop" >&2
	exit 2
	;;
esac
"""


def script(
    header: str, target: Target, tunnels: Iterable[TunnelDevice], addresses: Iterable[VirtualAddress]
) -> Artifact:
    """The script, in POSIX sh, for any init system. What is wanted stands in it as a table, one thing a line."""
    text = Text()
    text.add(header)
    text.extend(_BEFORE.format(ip=target.program("ip")).splitlines())
    wanted: dict[str, TunnelDevice | VirtualAddress] = {}
    for tunnel in tunnels:
        for part in parts(tunnel):
            wanted.setdefault(part, tunnel)
    for address in addresses:
        wanted.setdefault(f"address {address.address} {address.interface}", address)
    for line, node in wanted.items():
        text.add(line, node.origin)
    text.extend(_AFTER.splitlines())
    return text.artifact(PATH, stage=Stage.ADDRESSES)
