"""What two treatments do differently, each in words."""

from collections import Counter
from collections.abc import Iterator, Sequence

from lvsc.compare.names import end
from lvsc.compare.treatment import Backing, Treatment
from lvsc.graph.nodes import Persistence
from lvsc.packets.words import listed


def whole(treatment: Treatment) -> str:
    """A treatment by itself: its scheduler, real servers and persistence."""
    words = [treatment.scheduler.value]
    if treatment.servers and not treatment.serves:
        words.append(f"with every real server drained, {listed(map(backing, treatment.servers))}")
    elif treatment.servers:
        words.append(f"over {listed(map(backing, treatment.servers))}")
    else:
        words.append("without a real server")
    if treatment.persistence is not None:
        words.append(f"with {persistence(treatment.persistence)}")
    return " ".join(words)


def differences(one: Treatment, other: Treatment) -> tuple[str, str]:
    """What each of two treatments has that the other has not."""
    pairs: list[tuple[str, str]] = []
    if (one.scheduler, one.flags) != (other.scheduler, other.flags):
        pairs.append((_scheduler(one), _scheduler(other)))
    if one.persistence != other.persistence:
        pairs.append((persistence(one.persistence), persistence(other.persistence)))
    if one.one_packet != other.one_packet:
        pairs.append((_one_packet(one), _one_packet(other)))
    if one.servers != other.servers:
        pairs.append(_lists(one.servers, other.servers, "real server"))
    if one.order != other.order and Counter(one.order) == Counter(other.order):
        pairs.append((_order(one), _order(other)))
    if one.sorry != other.sorry:
        pairs.append(_lists(one.sorry, other.sorry, "sorry server"))
    return "; ".join(first for first, _ in pairs), "; ".join(second for _, second in pairs)


def persistence(value: Persistence | None) -> str:
    """A persistence in words."""
    if value is None:
        return "no persistence"
    words = f"persistence {value.timeout} s"
    if value.prefix_length not in (32, 128):
        words += f" of clients in one /{value.prefix_length}"
    return f"{words} by {value.engine}" if value.engine else words


def backing(server: Backing) -> str:
    """A real server in words."""
    return f"{end(server.address, server.port)} {_way(server)} weight {server.weight}"


def _scheduler(treatment: Treatment) -> str:
    return " ".join((f"scheduler {treatment.scheduler.value}", *(flag.value for flag in treatment.flags)))


def _order(treatment: Treatment) -> str:
    return f"scheduler {treatment.scheduler.value} over {listed(map(str, treatment.order))} in this order"


def _one_packet(treatment: Treatment) -> str:
    return "each datagram by itself" if treatment.one_packet else "by connection"


def _lists(one: Sequence[Backing], other: Sequence[Backing], word: str) -> tuple[str, str]:
    """What is different between two lists of real servers; of those on both sides, only the fields that differ."""
    olds, news = _by_end(one), _by_end(other)
    before: list[str] = []
    after: list[str] = []
    for key in sorted(olds.keys() | news.keys()):
        old, new = olds.get(key), news.get(key)
        if old == new:
            continue
        if old is None or new is None:
            before.append(backing(old) if old else f"no {_end(new)}")
            after.append(backing(new) if new else f"no {_end(old)}")
        else:
            where = end(old.address, old.port)
            pairs = list(_fields(old, new))
            before.append(f"{where} {' '.join(first for first, _ in pairs)}")
            after.append(f"{where} {' '.join(second for _, second in pairs)}")
    return f"{word} {listed(before)}", f"{word} {listed(after)}"


def _by_end(servers: Sequence[Backing]) -> dict[tuple[int, int, int, int], Backing]:
    """The servers by family, address, port, and a number where several are at one end."""
    seen: Counter[tuple[int, int, int]] = Counter()
    found: dict[tuple[int, int, int, int], Backing] = {}
    for server in servers:
        key = (server.address.version, int(server.address), server.port)
        found[*key, seen[key]] = server
        seen[key] += 1
    return found


def _end(server: Backing | None) -> str:
    return "" if server is None else end(server.address, server.port)


def _fields(old: Backing, new: Backing) -> Iterator[tuple[str, str]]:
    if _way(old) != _way(new):
        yield _way(old), _way(new)
    if old.weight != new.weight:
        yield f"weight {old.weight}", f"weight {new.weight}"
    if (old.upper_threshold, old.lower_threshold) != (new.upper_threshold, new.lower_threshold):
        yield _limits(old), _limits(new)


def _limits(server: Backing) -> str:
    return f"limits {server.upper_threshold}/{server.lower_threshold}"


def _way(server: Backing) -> str:
    tunnel = server.tunnel
    if tunnel is None:
        return f"by {server.forwarding.value}"
    port = "" if tunnel.port is None else f" port {tunnel.port}"
    checksum = "" if tunnel.checksum.value == "none" else f" checksum {tunnel.checksum.value}"
    return f"by {tunnel.type.value} tunnel{port}{checksum}"
