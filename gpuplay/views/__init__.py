"""From results and analysis to tables, pages and exports: pure functions.

Two files do more than that: `text.files` writes exports, and `sweep.live` draws on a terminal while cells are measured.
"""
