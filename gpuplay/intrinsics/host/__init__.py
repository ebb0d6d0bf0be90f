"""The parts of the CPU's intrinsics: what emits vectors, register tiles and streams of the host."""
