"""What makes the kernel unwrap a tunnel."""

from lvsc.plugin import Family, TunnelDevice, TunnelType


def parts(tunnel: TunnelDevice) -> tuple[str, ...]:
    """The script's lines for a tunnel, in the order in which they are to be done.

    A module brings one device that takes packets from any sender once it is up, so mostly no device is made and none can
    be left over (docs/kernel-facts.md, Tunnels).
    """
    lines = []
    outer_ipv4 = tunnel.outer_family is Family.IPV4
    if tunnel.type is TunnelType.GUE:
        lines.append(f"{'gue' if outer_ipv4 else 'gue6'} {tunnel.port}")
    if tunnel.own:
        lines.append(f"{'gre' if outer_ipv4 else 'ip6gre'} {tunnel.device} {tunnel.local}")
        if tunnel.family is Family.IPV4:
            lines.append(f"rp_filter {tunnel.device}")
    if tunnel.device == "ip6tnl0" and tunnel.family is Family.IPV4:
        # Until told otherwise it takes IPv6 only.
        lines.append("ip6tnl0 any")
    lines.append(f"device {tunnel.device}")
    return tuple(lines)
