"""Whether the rows of ``gpuplay peers`` reach their figures."""
