"""The keepalived backend: one complete keepalived.conf for each director."""
