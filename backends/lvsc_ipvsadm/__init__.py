"""The ipvsadm backend: IPVS's table in the syntax of `ipvsadm -R`, and the unit that reconciles the kernel with it."""
