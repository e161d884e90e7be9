"""The nftables backend: one own table, replaced in one transaction, and the unit that loads it."""
