"""A sweep's own work grows with its cells: exports rest between two writes, and nothing looks at all cells at each."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from places import TESTS
from scripted import measure, plan, record

from gpuplay.commands.steps.exporting import SHARE, Exports
from gpuplay.run.gathered import Gathered

BENCHMARK = TESTS / "benchmarks" / "growth.py"


@dataclass
class Disk:
    """A file that takes longer to write the more results there are, on a clock of its own."""

    now: float = 0.0
    results: int = 0
    written: list[int] = field(default_factory=list)

    def write(self) -> None:
        self.now += 1e-3 * self.results
        self.written.append(self.results)

    def measure(self, exports: Exports, cells: int, cell_s: float) -> float:
        """Measure cells and export after each; the seconds that writing took."""
        for _ in range(cells):
            self.now += cell_s
            self.results += 1
            exports.offer(self.write)
        exports.finish(self.write)
        return 1e-3 * sum(self.written)


def test_an_export_of_few_cells_is_written_after_each() -> None:
    disk = Disk()
    disk.measure(Exports(lambda: disk.now), 20, cell_s=1.0)
    assert disk.written == [*range(1, 21), 20]


@pytest.mark.parametrize("cells", [1000, 10_000])
def test_writing_many_cells_takes_no_more_than_its_share_and_ends_with_all(cells: int) -> None:
    disk = Disk()
    spent = disk.measure(Exports(lambda: disk.now), cells, cell_s=1e-3)
    assert disk.written[-1] == cells
    assert len(disk.written) < cells / 2
    assert spent - 1e-3 * cells <= 1.1 * SHARE * disk.now  # the last write is owed in any case


def failing() -> None:
    raise OSError("no space left")


def test_a_lost_export_is_said_once_and_measuring_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    exports = Exports(lambda: 0.0)
    write: Callable[[], None] = failing
    exports.offer(write)
    exports.offer(write)
    assert exports.lost == "no space left"
    assert capsys.readouterr().err == "gpuplay: the export is lost: no space left; measuring goes on\n"


def test_results_stand_in_the_order_of_the_plan_whatever_comes_first() -> None:
    planned = plan(variants=("numpy:blas", "cpu:simd"), sizes=(256, 512))
    results = measure(planned, lambda _cell: 1e-3)
    gathered = Gathered(record(()), planned)
    for result in reversed(results):
        gathered.add(result)
    cells = [cell.cell for row in planned.rows for cell in row.cells]
    assert [result.cell for result in gathered.record.results] == cells


def test_four_times_the_cells_take_about_four_times_as_long() -> None:
    done = subprocess.run([sys.executable, BENCHMARK, "400", "1600"], capture_output=True, text=True, check=False)
    found = re.search(r"([0-9.]+) times the time", done.stdout)
    assert found, done.stderr
    assert float(found[1]) < 9  # quadratic work would be near sixteen; the machine may be busy
