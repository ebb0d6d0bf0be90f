"""Views of ``gpuplay explain``: pure functions from an `Explanation` to text, Markdown, HTML and JSON."""
