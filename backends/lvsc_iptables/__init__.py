"""The iptables backend: rules in iptables-restore syntax, and the unit that loads them."""
