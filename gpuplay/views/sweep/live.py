"""The view while measuring: all rows at once on a terminal, elsewhere a line for each finished cell."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from rich.console import Console, ConsoleDimensions
from rich.live import Live
from rich.text import Text

from gpuplay.analysis.sweep.grid import arrange
from gpuplay.analysis.sweep.ratios import timed
from gpuplay.plan.cells import Plan
from gpuplay.results.cell import Cell
from gpuplay.results.events import Event, Final, State, StateChanged
from gpuplay.results.record import Record
from gpuplay.results.result import Result
from gpuplay.units import count, seconds
from gpuplay.views.sweep import table
from gpuplay.views.sweep.plan import EMPTY, summary
from gpuplay.views.sweep.progress import Lines
from gpuplay.views.text.layout import show, stack, wrap

REFRESH_HZ = 4
SHARE = 0.05  # of the time of a run that drawing may take, which is time of a core that cells are measured on
KEEPS = "Ctrl-C keeps what was measured"


@dataclass
class _Seen:
    """What the events so far have said. The terminal is redrawn from another thread, from a `copy`."""

    finals: dict[Cell, Result] = field(default_factory=dict)
    provisional: dict[Cell, Result] = field(default_factory=dict)
    states: dict[Cell, State] = field(default_factory=dict)
    events: int = 0

    def changed(self, cell: Cell, state: State) -> None:
        """One cell is worked on at a time; others can only wait."""
        for other in [c for c, s in self.states.items() if s != "waiting"]:
            del self.states[other]
        self.states[cell] = state
        self.events += 1

    def found(self, result: Result, *, final: bool) -> None:
        """A result in the place of what was known of its cell."""
        cell = result.cell
        self.states.pop(cell, None)
        if final:
            self.provisional.pop(cell, None)
        (self.finals if final else self.provisional)[cell] = result
        self.events += 1

    def copy(self) -> _Seen:
        """What is seen now, which later events leave alone."""
        return _Seen(dict(self.finals), dict(self.provisional), dict(self.states), self.events)


class LiveView:
    """Shows events as they come. ``console`` is where progress belongs: stderr.

    On a terminal the table stands still while its cells fill in, and is gone after `stop`; on
    anything else, or with ``plain``, every finished cell is one line. ``clock`` counts seconds.
    """

    def __init__(
        self,
        console: Console,
        plan: Plan,
        *,
        record: Record | None = None,
        plain: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._plan = plan
        self._record = record or EMPTY
        self._clock = clock
        self._began = clock()
        self._ended: float | None = None
        self._swept = {knob for column in arrange((), plan).columns for knob in column.swept}
        self._lines = Lines(plan)
        self._seen = _Seen()
        self._lock = threading.Lock()
        self._drawn: tuple[_Seen, ConsoleDimensions, Text] | None = None
        self._rests_until = 0.0
        live = console.is_terminal and not console.is_dumb_terminal and not plain
        self._live = self._terminal() if live else None

    @property
    def elapsed_s(self) -> float:
        """Seconds from `start` to `stop`, or until now."""
        return (self._clock() if self._ended is None else self._ended) - self._began

    def start(self) -> None:
        """Show the plan, and begin to count the time."""
        self._began = self._clock()
        if self._live:
            self._live.start()
        else:
            self._say(f"{self._plan.kernel.name}: {summary(self._plan)}")

    def handle(self, event: Event) -> None:
        """Take in what happened."""
        with self._lock:
            if isinstance(event, StateChanged):
                self._seen.changed(event.cell, event.state)
            else:
                self._seen.found(event.result, final=isinstance(event, Final))
        if isinstance(event, Final) and not self._live:
            self._say(self._lines.tell(event.result))

    def stop(self) -> None:
        """Clear the terminal for the final table."""
        if self._ended is None:
            self._ended = self._clock()
            if self._live:
                self._live.stop()

    def frame(self) -> Text:
        """What a terminal shows now, no taller than it is."""
        size = self._console.size
        if self._drawn is None or self._drawn[1] != size or self._is_stale(self._drawn[0]):
            began = self._clock()
            with self._lock:
                seen = self._seen.copy()
            self._drawn = seen, size, self._compose(seen, size.width, size.height)
            self._rests_until = self._clock() + (self._clock() - began) / SHARE
        return stack([self._drawn[2], Text(), *self._status(self._drawn[0], size.width)])

    def _is_stale(self, drawn: _Seen) -> bool:
        """Whether there is news, and drawing rested as long as it must: a large table is drawn more seldom."""
        return drawn.events != self._seen.events and self._clock() >= self._rests_until

    def _terminal(self) -> Live:
        return Live(
            console=self._console,
            get_renderable=self.frame,
            refresh_per_second=REFRESH_HZ,
            transient=True,
            vertical_overflow="crop",
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def _compose(self, seen: _Seen, width: int, height: int) -> Text:
        """The plan in a line and the table, cut to the rows around the running one where it is too tall."""
        head = wrap(summary(self._plan), width)
        record = replace(self._record, results=tuple({**seen.provisional, **seen.finals}.values()))
        live = table.Live(frozenset(seen.provisional), seen.states)
        drawn = table.compose(record, self._plan, width, live)
        room = height - len(head) - 4
        if _height(drawn) > room:
            drawn = replace(drawn, foot=[])
        if _height(drawn) > room:
            rows = len(arrange((), self._plan).lines)
            over = _height(drawn) + 2 - room
            shown = max(1, rows + over // -len(drawn.blocks))
            first = min(max(0, self._active(seen) - shown // 2), rows - shown)
            window = replace(live, window=(first, first + shown))
            note = f"  rows {first + 1} to {first + shown} of {rows}; the final table has them all"
            drawn = replace(table.compose(record, self._plan, width, window), foot=[Text(note)])
        return stack([*drawn.header, *head, *table.assemble(replace(drawn, header=[])).split("\n", allow_blank=True)])

    def _active(self, seen: _Seen) -> int:
        """The row that is being measured, else the first unfinished one."""
        lines = arrange(seen.finals.values(), self._plan).lines
        slots = [(place, slot) for place, line in enumerate(lines) for row in line.slots.values() for slot in row]
        running = (place for place, slot in slots if seen.states.get(slot.cell, "waiting") != "waiting")
        unfinished = (place for place, slot in slots if slot.result is None)
        return next(running, next(unfinished, 0))

    def _status(self, seen: _Seen, width: int) -> list[Text]:
        """What runs, how far it is, time gone and left."""
        running = [f"▸ {self._name(cell)} {state}" for cell, state in seen.states.items() if state != "waiting"]
        total = sum(len(row.all_cells) for row in self._plan.rows)
        left = self._left_s(seen)
        times = f"{_clock(self.elapsed_s)} gone" + (f", about {_clock(left)} left" if left else "")
        parts = [*running, f"{len(seen.finals)} of {count(total, 'cell')}", times]
        text = " · ".join([*parts, KEEPS])
        if len(text) + 2 <= width:
            return [Text(f"  {text}", style="bold")]
        lines = wrap(" · ".join(parts), width, first="  ")
        return [*(Text(line.plain, style="bold") for line in lines), Text(f"  {KEEPS}")]

    def _name(self, cell: Cell) -> str:
        """Variant and size, and the knobs that take several values."""
        knobs = "".join(f" {knob} {value}" for knob, value in cell.knobs if knob in self._swept)
        return f"{cell.variant}{knobs} n = {cell.size}"

    def _left_s(self, seen: _Seen) -> float | None:
        """Seconds left if the cells to come take as long as those that were measured; None for too few to tell."""
        done = sum(timed(result) for result in seen.finals.values())
        if done < 2:
            return None
        planned = [p for row in self._plan.rows for p in row.all_cells if not p.skip and p.cell not in seen.finals]
        left = len(planned) * self.elapsed_s / done
        limit = self._plan.settings.time_s
        return left if limit is None else min(left, max(0.0, limit - self.elapsed_s))

    def _say(self, text: str) -> None:
        show(self._console, Text(text))


def _height(drawn: table.Table) -> int:
    return table.assemble(drawn).plain.count("\n") + 1


def _clock(t: float) -> str:
    """Whole seconds, so that a running time does not flicker."""
    return seconds(whole) if (whole := round(t)) >= 60 else f"{max(whole, 1)} s"
