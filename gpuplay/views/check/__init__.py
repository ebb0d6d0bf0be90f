"""What ``gpuplay check`` found, once or watched."""
