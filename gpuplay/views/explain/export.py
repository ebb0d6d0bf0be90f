"""Files with what was explained: JSON, Markdown or HTML, as the suffix says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from gpuplay.paths import replace
from gpuplay.views.explain.data import Document, as_json
from gpuplay.views.explain.html import html
from gpuplay.views.explain.markdown import markdown
from gpuplay.views.text.files import refuse_unusable

SUFFIXES = (".json", ".md", ".html")


def refuse(paths: Sequence[str]) -> None:
    """UsageError at once where a file cannot be written; nothing is created."""
    for path in map(Path, paths):
        refuse_unusable(path, SUFFIXES)


def write(paths: Sequence[str], document: Document) -> None:
    """Write the document to every file."""
    for path in map(Path, paths):
        replace(path.resolve(), text(path.suffix.lower(), document))


def text(suffix: str, document: Document) -> str:
    """The document in the form of a suffix."""
    if suffix == ".json":
        return json.dumps(as_json(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return html(document) if suffix == ".html" else markdown(document)
