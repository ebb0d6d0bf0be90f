"""A cell: one thing to measure."""

from __future__ import annotations

from dataclasses import dataclass

from gpuplay.kernel import Problem, Value
from gpuplay.kinds.kind import Kind
from gpuplay.kinds.known import kind_of


@dataclass(frozen=True)
class Cell:
    """One thing to measure: a problem, a variant, its knob values and its threads."""

    kernel: str
    size: int
    params: tuple[tuple[str, Value], ...]
    variant: str
    knobs: tuple[tuple[str, int], ...] = ()
    threads: int = 1

    @property
    def target(self) -> str:
        """The part of the variant's name before the colon."""
        return self.variant.partition(":")[0]

    @property
    def kind(self) -> Kind:
        """The row of its target."""
        return kind_of(self.target)

    @property
    def problem(self) -> Problem:
        """What is computed."""
        return Problem(self.kernel, self.size, self.params)

    @property
    def choices(self) -> dict[str, int]:
        """Knob values and threads: all that a workspace may depend on beside the problem."""
        return {**dict(self.knobs), "threads": self.threads}

    @property
    def label(self) -> str:
        """Short text for messages: variant, knobs and size."""
        knobs = "".join(f" {name}={value}" for name, value in self.knobs)
        return f"{self.variant}{knobs} n={self.size}"
