"""What the marks of a table mean, and what its figures rest on: only what is there to be seen, on every page alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gpuplay.analysis.sweep.grid import Grid, Line
from gpuplay.analysis.sweep.ratios import fastest, timed
from gpuplay.results.result import Result
from gpuplay.views.sweep.figures import PENDING, Scene
from gpuplay.views.text.figures import Legend, legends
from gpuplay.views.text.layout import Column

UNCERTAIN = Legend("?", "order uncertain: one round, or too much noise")


def legend(scene: Scene, lines: Sequence[Line], drawn: Sequence[Column], *, live: bool = False) -> list[str]:
    """The legend of these columns. A live table always says what ~ is, so that it stands still as results come."""
    grid = scene.grid
    base = "the fastest library" if grid.baseline == "best" else grid.baseline
    rows = [[line.result(column.name) for column in grid.columns] for line in lines]
    leads = Legend("◂", f"fastest{_among(grid)}{', several in a row: a tie' if _tied(rows) else ''}")
    said = legends((leads, Legend("≈", f"tie with {base}"), UNCERTAIN), drawn)
    if live:
        return [*said, "~ provisional"]
    if any(result is None for row in rows for result in row):
        said.append(f"{PENDING} not measured")
    bare = [row for line, row in zip(lines, rows, strict=True) if grid.baseline and not timed(grid.base(line))]
    if any(timed(result) for row in bare for result in row):
        said.append(f"times where {base} has none")
    return [*said, *_errors(grid, rows)]


def _among(grid: Grid) -> str:
    return " in full precision" if any(column.variant.precision for column in grid.columns) else ""


def _tied(rows: Iterable[Sequence[Result | None]]) -> bool:
    """Whether several lead a row, with copies or without."""
    raced = [row for row in rows if sum(timed(result) for result in row) > 1]
    return any(len(fastest(row, copies=copies)) > 1 for row in raced for copies in (False, True))


def _errors(grid: Grid, rows: Sequence[Sequence[Result | None]]) -> Iterable[str]:
    """How far off the variants were whose numbers are not all of the problem's dtype."""
    for place, shown in enumerate(grid.columns):
        results = [row[place] for row in rows]
        errors = [r.error.max_abs for r in results if r and timed(r) and r.error and r.error.max_abs is not None]
        if shown.variant.formats.text and errors:
            yield f"{shown.name} ({shown.variant.formats.label}) is off by {max(errors):.2g} at most"
