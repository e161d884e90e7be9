"""A third party's service kind: TFTP, with a node and a backend of its own for the real servers' tftpd."""
