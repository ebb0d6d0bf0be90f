"""What gpuplay promises against the libraries: the rows of ``gpuplay peers``, as data."""
