"""One cell as text: its ×, its time, its rate, or the word that says why it has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from gpuplay.analysis.sweep.grid import Grid, Line, Slot
from gpuplay.analysis.sweep.ratios import fastest, seconds, speedup, timed
from gpuplay.analysis.sweep.roofline import memory_bound
from gpuplay.results.cell import Cell
from gpuplay.results.events import State
from gpuplay.results.result import Result
from gpuplay.units import byte_rate, flop_rate, ratio
from gpuplay.units import seconds as time_text
from gpuplay.views.text.layout import Entry
from gpuplay.views.text.notes import Notes

Part: TypeAlias = Literal["ratio", "time", "rate"]
WORDS = {"skipped": "–", "wrong": "wrong", "failed": "failed", "verified": "verified"}
STYLES = {"skipped": "dim", "wrong": "bold red", "failed": "bold red", "verified": ""}
LEADS = "bold green"
PENDING = "·"


@dataclass(frozen=True)
class Scene:
    """What a cell's look depends on beside its result. ``running`` is set while measuring only."""

    grid: Grid
    notes: Notes
    by_bytes: bool
    provisional: frozenset[Cell] = frozenset()
    running: Mapping[Cell, State] = field(default_factory=dict)


def rate(result: Result, *, by_bytes: bool, copies: bool = False) -> str:
    """Bytes or FLOPs a second of the kernel's cost; an empty string where there is none."""
    amount = result.bytes if by_bytes else result.flops
    if not amount:
        return ""
    value = amount / seconds(result, copies=copies)
    return byte_rate(value) if by_bytes else flop_rate(value)


def shows_bytes(results: tuple[Result, ...]) -> bool:
    """Whether the rates of a table are bytes: where memory bounds the kernel, or it counts no FLOPs."""
    known = [result for result in results if timed(result)]
    return bool(known) and all(memory_bound(result) for result in known)


def entry(scene: Scene, line: Line, variant: str, parts: tuple[Part, ...], *, copies: bool = False) -> Entry:
    """The cell of a variant on a line; with ``copies`` from host memory to host memory."""
    result = line.result(variant)
    if result is None:
        return _unfinished(scene, line, variant)
    if not timed(result):
        return word(result, "" if copies else scene.notes.mark(result))
    provisional = result.cell in scene.provisional
    texts = {
        "ratio": _ratio(scene, line, result, copies=copies, provisional=provisional),
        "time": time_text(seconds(result, copies=copies)),
        "rate": rate(result, by_bytes=scene.by_bytes, copies=copies),
    }
    if provisional and parts[0] != "ratio":
        texts[parts[0]] = "~" + texts[parts[0]]
    values = tuple(texts[part] for part in parts)
    if parts == ("ratio",) and not values[0]:
        values = (texts["time"],)
    if _active(scene, result.cell):
        return Entry(values, "▸", "dim")
    leads = not provisional and _leads(scene, line, result, copies=copies)
    style = LEADS if leads else "dim" if provisional else ""
    return Entry(values, "◂" if leads else "", style)


def sweep_entry(scene: Scene, slot: Slot | None, rivals: tuple[Result, ...], parts: tuple[Part, ...]) -> Entry:
    """The cell of one knob value: its time, marked where none of its rivals is faster."""
    result = slot.result if slot else None
    if slot is None or result is None:
        state = scene.running.get(slot.cell) if slot else None
        return _state(state) if state else Entry((PENDING,), "", "dim")
    if not timed(result):
        return word(result, scene.notes.mark(result))
    texts = {"time": time_text(seconds(result)), "rate": rate(result, by_bytes=scene.by_bytes)}
    values = tuple(texts[part] for part in parts)
    if slot.cell in scene.provisional:
        return Entry(("~" + values[0], *values[1:]), "▸" if _active(scene, slot.cell) else "", "dim")
    leads = result in rivals
    return Entry(values, "◂" if leads else "", LEADS if leads else "")


def word(result: Result, mark: str) -> Entry:
    """What stands in the place of a time, with its footnote."""
    return Entry((f"{WORDS.get(result.status, result.status)} {mark}".rstrip(),), "", STYLES.get(result.status, ""))


def _state(state: State) -> Entry:
    return Entry((state,), "", "dim") if state == "waiting" else Entry((state,), "▸", "bold")


def _active(scene: Scene, cell: Cell) -> bool:
    return scene.running.get(cell, "waiting") != "waiting"


def _unfinished(scene: Scene, line: Line, variant: str) -> Entry:
    for slot in line.slots.get(variant, ()):
        if slot.cell in scene.running:
            return _state(scene.running[slot.cell])
    return Entry((PENDING,), "", "dim")


def _ratio(scene: Scene, line: Line, result: Result, *, copies: bool, provisional: bool) -> str:
    base = scene.grid.base(line, result.precision)
    found = speedup(result, base, copies=copies) if base is not None else None
    if found is None:
        return ""
    if provisional or (base is not None and base.cell in scene.provisional):
        return "~" + ratio(found.ratio)
    if base is result and not copies:
        return ratio(1, tie=False)
    if found.order == "uncertain":
        return "?" + ratio(found.ratio)
    return ratio(found.ratio, tie=found.order == "tie")


def _leads(scene: Scene, line: Line, result: Result, *, copies: bool) -> bool:
    results = [line.result(column.name) for column in scene.grid.columns]
    return sum(
        r is not None and timed(r) and r.precision == result.precision for r in results
    ) > 1 and result in fastest(results, copies=copies)
