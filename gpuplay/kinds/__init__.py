"""The kinds of targets: a row of data for each, gpuplay's own and those of installed packages."""
