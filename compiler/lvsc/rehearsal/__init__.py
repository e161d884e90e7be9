"""A rehearsal: the cluster of a spec on a real kernel, with real packets at every service, and what came of them."""
