"""What stands in for a GPU: the lockstep machine, and the compiler without a device."""
