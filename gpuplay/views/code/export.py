"""Files with what ``gpuplay code`` found: JSON or Markdown, as the suffix says."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

from gpuplay.paths import replace
from gpuplay.views.code import listing, resources
from gpuplay.views.code.data import Document, as_json
from gpuplay.views.sweep.markdown import escaped, pipes
from gpuplay.views.text.files import refuse_unusable

SUFFIXES = (".json", ".md")
WIDE = 10_000


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
    return markdown(document)


def markdown(document: Document) -> str:
    """Tables as such, code in blocks."""
    head, *said = [" ".join(line.plain.split()) for line in resources.heading(document, WIDE)]
    parts = [f"# Code of {document.kernel.name}", escaped(head.removeprefix(document.kernel.name).strip())]
    parts += map(escaped, said)
    if document.change:
        parts += [_block("diff", diff) for diff in document.change.diffs]
    if document.form == "resources":
        parts += _tables(document)
    elif not document.change:
        for title, lines in listing.parts(document):
            parts += [f"## {escaped(title)}", *([_block("text", lines)] if lines else [])]
    parts += ["## Command", _block("", [shlex.join(document.argv)])]
    return "\n\n".join([*parts, f"gpuplay {document.version}, {document.created}"]) + "\n"


def _tables(document: Document) -> list[str]:
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


def _block(language: str, lines: Sequence[str]) -> str:
    """Lines as they are; a fence longer than any within."""
    body, fence = "\n".join(lines), "```"
    while fence in body:
        fence += "`"
    return f"{fence}{language}\n{body}\n{fence}"
