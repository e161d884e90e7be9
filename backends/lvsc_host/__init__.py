"""The host backend: kernel modules, kernel settings, tunnel devices and addresses of directors and real servers."""
