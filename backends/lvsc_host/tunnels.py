"""Which device of the kernel unwraps which tunnel, and what makes it do so."""

from lvsc.plugin import Family, TunnelDevice, TunnelType

# Each module brings one device that takes packets from any sender once it is up, measured on Linux 6.1: no device is
# made, so none can be left over, and the settings of tunl0 and the others are there as soon as the module is loaded.
_IPIP = {
    (Family.IPV4, Family.IPV4): "tunl0",
    (Family.IPV6, Family.IPV4): "sit0",
    (Family.IPV4, Family.IPV6): "ip6tnl0",
    (Family.IPV6, Family.IPV6): "ip6tnl0",
}
_GRE = {Family.IPV4: "gre0", Family.IPV6: "ip6gre0"}


def device(tunnel: TunnelDevice) -> str:
    """The device whose packets come out of the tunnel. fou only takes gue's header off: what is left is ipip."""
    if tunnel.type is TunnelType.GRE:
        return _GRE[tunnel.outer_family]
    return _IPIP[tunnel.family, tunnel.outer_family]


def parts(tunnel: TunnelDevice) -> tuple[str, ...]:
    """The script's lines for a tunnel, in the order in which they are to be done."""
    lines = []
    if tunnel.type is TunnelType.GUE:
        lines.append(f"{'gue' if tunnel.outer_family is Family.IPV4 else 'gue6'} {tunnel.port}")
    name = device(tunnel)
    if name == "ip6tnl0" and tunnel.family is Family.IPV4:
        # Until told otherwise it takes IPv6 only.
        lines.append("ip6tnl0 any")
    lines.append(f"device {name}")
    return tuple(lines)
