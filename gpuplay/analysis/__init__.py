"""Pure functions of results: ratios, ties, grids, crossovers, verdicts, roofs, warnings."""
