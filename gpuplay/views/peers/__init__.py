"""The page of ``gpuplay peers``: a table, Markdown, JSON."""
