"""``python -m gpuplay`` is the same as ``gpuplay``."""

from gpuplay.cli import main

main()
