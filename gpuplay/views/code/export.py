"""Files with what ``gpuplay code`` found: JSON or Markdown, as the suffix says."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gpuplay.views.code import listing, resources
from gpuplay.views.code.data import CodeDocument, as_json
from gpuplay.views.text.files import Exporter, json_text
from gpuplay.views.text.layout import UNBROKEN
from gpuplay.views.text.markdown import escaped, fenced, page, pipes


def exporter(paths: Sequence[str | Path]) -> Exporter[[CodeDocument]]:
    """Writes the document to these files."""
    return Exporter(FORMS, paths)


def markdown(document: CodeDocument) -> str:
    """Tables as such, code in blocks."""
    head, *said = [" ".join(line.plain.split()) for line in resources.heading(document, UNBROKEN)]
    parts = [f"# Code of {document.kernel.name}", escaped(head.removeprefix(document.kernel.name).strip())]
    parts += map(escaped, said)
    if document.change:
        parts += [fenced(diff, "diff") for diff in document.change.diffs]
    if document.form == "resources":
        parts += _tables(document)
    elif not document.change:
        for title, lines in listing.parts(document):
            parts += [f"## {escaped(title)}", *([fenced(lines, "text")] if lines else [])]
    parts += ["## Command", fenced([shlex.join(document.argv)])]
    return page([*parts, f"gpuplay {document.version}, {document.created}"])


def _tables(document: CodeDocument) -> list[str]:
    parts = []
    if document.gpu:
        marks = resources.marks_of(document.gpu)
        parts += [pipes(resources.gpu_columns(document.gpu, marks)), _notes(marks), escaped(resources.GPU_LEGEND)]
    if document.host:
        marks = resources.marks_of(document.host)
        parts += [pipes(resources.host_columns(document.host, marks)), _notes(marks), escaped(resources.HOST_LEGEND)]
    return [part for part in parts if part]


def _notes(marks: dict[str, str]) -> str:
    return "\n".join(f"- {mark} {escaped(reason)}" for reason, mark in marks.items())


FORMS: Mapping[str, Callable[[CodeDocument], str]] = {
    ".json": lambda document: json_text(as_json(document)),
    ".md": markdown,
}
