"""One cell as text: its ×, its time, its rate, or the word that says why it has none."""

from __future__ import annotations

from gpuplay.analysis.sweep.grid import Line, Slot
from gpuplay.analysis.sweep.ratios import fastest, timed
from gpuplay.results.cell import Cell
from gpuplay.results.events import State
from gpuplay.results.result import Result
from gpuplay.views.sweep.figures import PENDING, RATIO, TIME, Part, Scene, Timed
from gpuplay.views.text.layout import Entry

WORDS = {"skipped": "–", "wrong": "wrong", "failed": "failed", "verified": "verified"}
STYLES = {"skipped": "dim", "wrong": "bold red", "failed": "bold red", "verified": ""}
LEADS = "bold green"


def entry(scene: Scene, line: Line, variant: str, parts: tuple[Part, ...], *, copies: bool = False) -> Entry:
    """The cell of a variant on a line; with ``copies`` from host memory to host memory."""
    result = line.result(variant)
    if result is None:
        return _unfinished(scene, line, variant)
    if not timed(result):
        return word(result, "" if copies else scene.notes.mark(result))
    shown = Timed(scene, line, result, copies=copies)
    values = tuple(part.value(shown) for part in parts)
    if shown.provisional and parts[0] is not RATIO:
        values = ("~" + values[0], *values[1:])
    if parts == (RATIO,) and not values[0]:
        values = (TIME.value(shown),)
    if _active(scene, result.cell):
        return Entry(values, "▸", "dim")
    leads = not shown.provisional and _leads(scene, line, result, copies=copies)
    style = LEADS if leads else "dim" if shown.provisional else ""
    return Entry(values, "◂" if leads else "", style)


def sweep_entry(
    scene: Scene, line: Line, slot: Slot | None, rivals: tuple[Result, ...], parts: tuple[Part, ...]
) -> Entry:
    """The cell of one knob value: its time, marked where none of its rivals is faster."""
    result = slot.result if slot else None
    if slot is None or result is None:
        state = scene.running.get(slot.cell) if slot else None
        return _state(state) if state else Entry((PENDING,), "", "dim")
    if not timed(result):
        return word(result, scene.notes.mark(result))
    values = tuple(part.value(Timed(scene, line, result)) for part in parts)
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


def _leads(scene: Scene, line: Line, result: Result, *, copies: bool) -> bool:
    results = [line.result(column.name) for column in scene.grid.columns]
    return sum(
        r is not None and timed(r) and r.precision == result.precision for r in results
    ) > 1 and result in fastest(results, copies=copies)
