"""How to measure."""

from __future__ import annotations

from dataclasses import dataclass

FEWEST_SAMPLES = 10  # of a cell over all rounds, where its calls are short enough


@dataclass(frozen=True)
class Settings:
    """How to measure. Times in seconds; ``time_s`` None leaves the whole command unlimited.

    ``keep_going`` takes the lockstep machine past a check that fires: the outputs are judged all the same.
    ``cold`` flushes the caches before each call; ``graph`` times replays of captured runs on a GPU.
    """

    time_s: float | None = None
    cell_time_s: float = 1.0
    cell_limit_s: float = 30.0
    cell_timeout_s: float = 60.0
    rounds: int = 5
    seed: int = 0
    cold: bool = False
    graph: bool = False
    device: int = 0
    keep_going: bool = False
