"""The shell script that loads the restore files, keeps the jumps to lvsc's chains, and takes all of it away again."""

from collections.abc import Collection, Iterator, Mapping

from lvsc.plugin import Family, Feature, Target, Text
from lvsc_iptables.chains import Chain
from lvsc_iptables.restore import restore_path

SCRIPT_PATH = "/etc/lvsc/iptables.sh"

_COMMANDS = {Family.IPV4: "iptables", Family.IPV6: "ip6tables"}


def missing_programs(family: Family, target: Target) -> tuple[str, ...]:
    """The programs that loading a family's rules takes and the target does not ship."""
    shipped = {name for name, _ in target.programs}
    command = _COMMANDS[family]
    return tuple(name for name in (command, f"{command}-restore", f"{command}-save") if name not in shipped)


def script(header: str, loaded: Mapping[Family, Collection[Chain]], target: Target) -> Text:
    """The script for a host whose restore files fill these chains.

    `start` may be run at any time and as often as one likes: it changes nothing that is right already. Both commands
    are silent unless something fails, and fail then.
    """
    text = Text()
    text.add("#!/bin/sh")
    text.add(header)
    text.extend(
        _functions(_wait(target, Feature.IPTABLES_WAIT), _wait(target, Feature.IPTABLES_RESTORE_WAIT))
    )
    text.add()
    text.add("start() {")
    for family in Family:
        if not missing_programs(family, target):
            text.extend(f"    {line}" for line in _start(family, loaded.get(family, ()), target))
    text.add("}")
    text.add()
    text.add("stop() {")
    for family in Family:
        if not missing_programs(family, target):
            text.extend(f"    {line}" for line in _remove(family, list(Chain), target))
    text.add("}")
    text.add()
    text.extend(_MAIN)
    return text


def _wait(target: Target, feature: Feature) -> str:
    """The option that waits for another's turn to end, where the program has it."""
    return "-w " if target.has(feature) else ""


def _functions(wait: str, restore_wait: str) -> Iterator[str]:
    yield from _ABOUT
    yield "jump() {"
    yield f'    rules=$("$1" {wait}-t "$3" -S "$5" 2>/dev/null) || rules=$("$1" {wait}-t "$3" -S "$5")'
    yield from _JUMP
    yield f'    }} | "$2" {restore_wait}--noflush'
    yield "}"
    yield ""
    yield from _LOOK
    yield ""
    yield "# remove IPTABLES TABLE BUILT-IN CHAIN: delete the chain, if `look` saw it, and the jumps to it."
    yield "remove() {"
    yield '    case $seen in *" $4 "*) ;; *) return 0 ;; esac'
    yield f'    while "$1" {wait}-t "$2" -D "$3" -j "$4" 2>/dev/null; do :; done'
    yield f'    "$1" {wait}-t "$2" -F "$4"'
    yield f'    "$1" {wait}-t "$2" -X "$4"'
    yield "}"


def _start(family: Family, chains: Collection[Chain], target: Target) -> Iterator[str]:
    command, restore = target.program(_COMMANDS[family]), target.program(f"{_COMMANDS[family]}-restore")
    if chains:
        wait = _wait(target, Feature.IPTABLES_RESTORE_WAIT)
        yield f"{restore} {wait}--noflush <{restore_path(family)}"
    why = ""
    for chain in chains:
        if chain.why != why:
            why = chain.why
            yield f"# {why}"
        place = "-A" if chain.last else "-I"
        yield f"jump {command} {restore} {chain.table} {place} {chain.hook.name} {chain.label}"
    yield from _remove(family, [chain for chain in Chain if chain not in chains], target)


def _remove(family: Family, chains: Collection[Chain], target: Target) -> Iterator[str]:
    if not chains:
        return
    yield f"look {target.program(f'{_COMMANDS[family]}-save')}"
    for chain in chains:
        yield f"remove {target.program(_COMMANDS[family])} {chain.table} {chain.hook.name} {chain.label}"


_ABOUT = """\
#
# iptables.sh start    load the rules; whatever is right already stays as it is
# iptables.sh stop     remove them
#
# The chains whose names begin with LVSC- are lvsc's. Of all other rules only the jumps to them are touched.
set -eu

# jump IPTABLES IPTABLES-RESTORE TABLE -A|-I BUILT-IN CHAIN: have one jump, the last (-A) or first (-I) of the rules.
# All jumps make room for the new one at once, so that no packet finds none.""".splitlines()

_JUMP = r"""    count=$(printf '%s\n' "$rules" | grep -cxF -e "-A $5 -j $6") || :
    case $4 in -A) end='$p' ;; *) end=1p ;; esac
    at_end=$(printf '%s\n' "$rules" | sed -n '/^-A /p' | sed -n "$end")
    [ "$count $at_end" != "1 -A $5 -j $6" ] || return 0
    {
        echo "*$3"
        while [ "$count" -gt 0 ]; do
            echo "-D $5 -j $6"
            count=$((count - 1))
        done
        echo "$4 $5 -j $6"
        echo COMMIT""".splitlines()

_LOOK = r"""# look IPTABLES-SAVE: set $seen to lvsc's chains. Without -t it prints the tables in use; to name one would load it
# into the kernel. What it says on stderr when all is well (that the other variant has tables too) is no trouble here.
look() {
    seen=' '
    [ -x "$1" ] || return 0
    rules=$("$1" 2>/dev/null) || rules=$("$1")
    seen=" $(printf '%s\n' "$rules" | sed -n 's/^:\(LVSC-[^ ]*\) .*/\1/p' | tr '\n' ' ')"
}""".splitlines()

_MAIN = """\
case ${1-} in
start) start ;;
stop) stop ;;
*)
    echo "usage: $0 start|stop" >&2
    exit 2
    ;;
esac""".splitlines()
