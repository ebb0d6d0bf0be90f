"""How the time of a command grows with its cells, where measuring itself takes none.

    python tests/benchmarks/growth.py [FEW MANY]

Workers answer at once with scripted results; planning, the runner's rounds, the live view's lines, the record and
the export to JSON are what is left. Prints the seconds of two sizes of sweep, of which one has, unless
told otherwise, four times the cells.
"""

import contextlib
import io
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripted_crew import Crew

from gpuplay.catalog.find import find_kernel
from gpuplay.commands.asked import Output
from gpuplay.commands.steps.measuring import measure
from gpuplay.commands.steps.opened import Opened
from gpuplay.commands.steps.planning import planned
from gpuplay.plan.request import Choice
from gpuplay.plan.settings import Settings
from gpuplay.views.sweep.export import exporter

FEW, MANY = 2_500, 10_000
VARIANTS = ("numpy:ufunc", "cpu:scalar", "cpu:simd", "cpu:parallel")
GOAL_S, GOAL_RATIO = 10.0, 4.5


def seconds(cells: int) -> float:
    """Wall-clock seconds of a sweep of so many cells, planning and exporting included."""
    origin = find_kernel("activation")
    with Opened.of(origin) as opened, tempfile.TemporaryDirectory() as folder:
        os.environ["GPUPLAY_CACHE_DIR"] = folder  # scripted roofs are not this machine's
        crew: Any = Crew(origin)
        scripted = Opened(origin, opened.kernel, crew)
        sizes = ",".join(map(str, range(1, 1 + cells // len(VARIANTS) // 5)))
        began = time.perf_counter()
        choice = Choice(
            sizes=sizes,
            on=",".join(VARIANTS),
            axes={"function": "relu,tanh,sigmoid,gelu,silu", "dtype": "float32"},
        )
        plan, machine = planned(scripted, choice, Settings(time_s=1e6))
        file = Path(folder) / "all.json"
        output = Output(export=(str(file),), plain=True)
        with contextlib.redirect_stderr(io.StringIO()):
            found = measure(scripted, plan, machine, exporter(output.export), output)
        took = time.perf_counter() - began
        assert not found.lost
        written = json.loads(file.read_text(encoding="utf-8"))["results"]
        assert len(written) == len(found.record.results) == cells, len(written)
        assert {result["status"] for result in written} == {"ok"}
    return took


def main(words: list[str]) -> int:
    """Print the figures; 1 where a goal is missed."""
    few, many = map(int, words) if words else (FEW, MANY)
    took = {cells: min(seconds(cells) for _ in range(2)) for cells in (few, many)}
    times, ratio = many / few, took[many] / took[few]
    print(f"{few} cells  {took[few]:.2f} s")
    print(f"{many} cells  {took[many]:.2f} s  (at most {GOAL_S:.0f} s)")
    print(f"{times:.0f} times the cells  {ratio:.2f} times the time  (at most {GOAL_RATIO / 4 * times:.1f})")
    return 0 if took[many] <= GOAL_S and ratio <= GOAL_RATIO / 4 * times else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
