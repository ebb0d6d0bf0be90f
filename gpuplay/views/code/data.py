"""What ``gpuplay code`` found as one value, and as plain data for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from gpuplay.analysis.ladder.change import Change
from gpuplay.analysis.machine_code.inspection import GpuRow, HostRow, gpu_json, host_json
from gpuplay.catalog.definitions import Definition
from gpuplay.kernel import Kernel
from gpuplay.results.cell import Cell
from gpuplay.results.compiled import Compiled, SourceFile

SCHEMA = "gpuplay-code/1"


@dataclass(frozen=True)
class CodeDocument:
    """What was asked for in one form, and what an export says of the command.

    ``compiled`` has the listings, ``gpu`` and ``host`` the rows that follow from them; ``definitions`` are
    the sources by variant, ``change`` is what differs between two.
    """

    kernel: Kernel
    form: str
    version: str
    created: str
    argv: Sequence[str]
    tools: str = ""
    compiled: Sequence[Compiled] = ()
    gpu: Sequence[GpuRow] = ()
    host: Sequence[HostRow] = ()
    definitions: Mapping[str, Sequence[Definition]] = field(default_factory=dict)
    change: Change | None = None

    @property
    def failed(self) -> bool:
        """Whether the compiler refused anything."""
        return any(one.failed for one in self.compiled)

    @property
    def cells(self) -> list[Cell]:
        """All cells, each once."""
        return list(dict.fromkeys(one.cell for one in self.compiled))


def as_json(document: CodeDocument) -> dict[str, Any]:
    """The document as one object of the ``gpuplay-code/1`` schema; what is not known is null."""
    return {
        "schema": SCHEMA,
        "gpuplay": document.version,
        "created": document.created,
        "argv": list(document.argv),
        "kernel": document.kernel.name,
        "form": document.form,
        "tools": document.tools,
        "compiled": [*_gpu(document), *(_host(document, row) for row in document.host)],
        "sources": [
            {"variant": name, "definitions": [_definition(one) for one in found]}
            for name, found in document.definitions.items()
        ],
        "diff": [line for diff in document.change.diffs for line in diff] if document.change else None,
    }


def _gpu(document: CodeDocument) -> list[dict[str, Any]]:
    """One entry for each cell and architecture, its functions within."""
    entries = []
    for (cell, architecture), rows in groupby(document.gpu, key=lambda row: (row.cell, row.architecture)):
        known = list(rows)
        functions = [gpu_json(row) for row in known if row.function]
        for row, entry in zip(known, functions, strict=False):
            assert row.function is not None
            entry |= {form: getattr(row.function, form) for form in ("ptx", "sass") if form == document.form}
        reasons = {"reason": known[0].reason, "failed": known[0].failed}
        entries.append(_cell(cell) | {"architecture": architecture, "functions": functions} | reasons)
    return entries


def _host(document: CodeDocument, row: HostRow) -> dict[str, Any]:
    texts: list[dict[str, Any]] = [{"name": one.name} for one in row.functions]
    if document.form in ("llvm", "asm"):
        for one, entry in zip(row.functions, texts, strict=True):
            entry[document.form] = getattr(one, document.form)
    reasons = {"reason": row.reason, "failed": row.failed}
    return _cell(row.cell) | {"architecture": None, "functions": texts} | host_json(row) | reasons


def _cell(cell: Cell) -> dict[str, Any]:
    return {"variant": cell.variant, "size": cell.size, "params": dict(cell.params), "knobs": dict(cell.knobs)}


def _definition(one: Definition) -> dict[str, Any]:
    return asdict(one) | {"file": str(one.file)}


def source_line(sources: Sequence[SourceFile], file: str, line: int) -> str:
    """'tiles.py:47  total += …'; without the text where the file is not known."""
    text = next((one.line(line).strip() for one in sources if one.file == file), "")
    return f"{Path(file).name}:{line}  {text}".rstrip()
