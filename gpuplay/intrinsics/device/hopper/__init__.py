"""Instructions of compute capability 9.0: barriers in memory, boxes, warpgroups, clusters."""
