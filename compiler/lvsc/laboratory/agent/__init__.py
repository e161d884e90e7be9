"""What runs inside the laboratory's kernel: hosts as namespaces, servers, clients, units. Of the standard library alone.

The system's own Python runs a copy of it, wherever lvsc itself is installed.
"""
