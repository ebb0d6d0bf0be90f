"""From what is asked to a frozen plan of cells: sizes, shapes, requests, settings."""
