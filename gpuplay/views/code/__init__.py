"""The views of ``gpuplay code``: tables of resources, listings with source lines, files."""
