"""Files with what was explained: JSON, Markdown or HTML, as the suffix says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gpuplay.views.explain.data import ExplainDocument, as_json
from gpuplay.views.explain.html import html
from gpuplay.views.explain.markdown import markdown
from gpuplay.views.text.files import Exporter, json_text

FORMS: Mapping[str, Callable[[ExplainDocument], str]] = {
    ".json": lambda document: json_text(as_json(document)),
    ".md": markdown,
    ".html": html,
}


def exporter(paths: Sequence[str | Path]) -> Exporter[[ExplainDocument]]:
    """Writes the document to these files."""
    return Exporter(FORMS, paths)
