"""gpuplay: why neural-network arithmetic runs so well on parallel hardware, measured on your machine."""

__version__ = "0.1.0"
