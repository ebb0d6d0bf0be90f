"""The parts of `gpuplay.intrinsics.ptx`: instructions of a GPU that Numba has no words for."""
