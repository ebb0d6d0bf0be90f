"""What came of cells: plain data that crosses the border between processes, without numba and numpy."""
