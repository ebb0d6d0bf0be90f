"""What is promised of a kernel against the libraries, as data: cases, and the figures that they must reach."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from gpuplay.kernel import FlynnClass, Kernel, Problem, Value
from gpuplay.kinds.kind import Kind
from gpuplay.kinds.known import kind_of

LARGEST = 2**40

Pairs: TypeAlias = tuple[tuple[str, Value], ...]


@dataclass(frozen=True)
class Case:
    """One problem of a row. ``label`` names it where the size alone would not; ``quick`` ones stand for the row."""

    size: int
    params: Pairs = ()
    label: str = ""
    quick: bool = False


@dataclass(frozen=True)
class Mean:
    """The geometric mean of the ratios of all cases."""

    at_least: float


@dataclass(frozen=True)
class Worst:
    """The smallest ratio of the cases from ``smallest`` to ``largest``, of all our variants or only of ``ours``."""

    at_least: float
    smallest: int = 1
    largest: int = LARGEST
    ours: tuple[str, ...] = ()


@dataclass(frozen=True)
class OfRoof:
    """The smallest share of a measured roof, by the problem's own operations or bytes, from size ``smallest`` on.

    The roof is that of the host's cores or, for a variant on a GPU, the GPU's.
    """

    at_least: float
    roof: Literal["fma_float32", "read", "copy"]
    smallest: int = 1


@dataclass(frozen=True)
class OfYardstick:
    """The ratio, at one size, to another problem of this size in a variant: a copy of the same array, say."""

    at_least: float
    size: int
    variant: str
    params: Pairs
    name: str


@dataclass(frozen=True)
class Scaling:
    """The smallest ratio of our time on one thread to our time on ``threads``, the same variant on both."""

    at_least: float
    threads: int


Condition: TypeAlias = Mean | Worst | OfRoof | OfYardstick | Scaling


@dataclass(frozen=True)
class Promise:
    """A row: problems of one kernel, and what the ratio of the best library's time to ours must be.

    At each case the best of our variants that use the whole processor stands against the best library
    variant of the targets ``peers``: a library, too, picks its algorithm by the problem. Both are of the
    row's ``precision``, '' the problem's dtype; ours may be ``among`` some, which then may compute in other
    formats as long as they are as exact. ``params`` hold for all cases.
    Where it is about ``threads``, these are measured, else all cores; ``cores`` are those of the machines
    that the figures are meant for.
    """

    name: str
    kernel: str
    cases: tuple[Case, ...]
    needs: tuple[Condition, ...]
    params: Pairs = ()
    target: Literal["cpu", "cuda"] = "cpu"
    peers: tuple[str, ...] = ("numpy", "torch")
    threads: tuple[int, ...] = ()
    cores: int = 2
    precision: str = ""
    among: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The part of the name before the colon, which names all rows that share it."""
        return self.name.partition(":")[0]

    @property
    def kind(self) -> Kind:
        """The row of its target."""
        return kind_of(self.target)

    @property
    def flynn(self) -> FlynnClass:
        """The class of those of our variants that use the whole processor."""
        return "SIMT" if self.kind.on_gpu else "MIMD"

    @property
    def yardsticks(self) -> tuple[OfYardstick, ...]:
        """The conditions that need a cell of another problem."""
        return tuple(need for need in self.needs if isinstance(need, OfYardstick))

    def problem(self, kernel: Kernel, case: Case) -> Problem:
        """The problem of a case."""
        return kernel.problem(case.size, **dict(self.params), **dict(case.params))

    def yardstick(self, kernel: Kernel, need: OfYardstick) -> Problem:
        """The problem that a yardstick is."""
        return kernel.problem(need.size, **{**dict(self.params), **dict(need.params)})

    def ours(self, kernel: Kernel) -> tuple[str, ...]:
        """Our variants, in declared order."""
        return tuple(
            v.name
            for v in kernel.variants
            if v.target == self.target
            and v.flynn == self.flynn
            and v.precision == self.precision
            and (v.name in self.among if self.among else self.precision or not v.compute)
        )

    def named(self, kernel: Kernel) -> tuple[str, ...]:
        """Variants that a condition names, beside `ours`."""
        wanted = {name for need in self.needs if isinstance(need, Worst) for name in need.ours}
        return tuple(v.name for v in kernel.variants if v.name in wanted)

    def rivals(self, kernel: Kernel) -> tuple[str, ...]:
        """The library variants, in declared order."""
        return tuple(
            v.name
            for v in kernel.variants
            if v.target in self.peers and v.flynn == "library" and v.precision == self.precision
        )

    def quick(self) -> Promise:
        """The row with its quick cases alone, and the conditions that these can meet or break."""
        cases = tuple(case for case in self.cases if case.quick)
        return replace(self, cases=cases, needs=tuple(need for need in self.needs if _touches(need, cases)))


def case(size: int, label: str = "", *, quick: bool = False, **params: Value) -> Case:
    """A case of these params."""
    return Case(size, tuple(params.items()), label, quick)


def within(need: Condition, one: Case) -> bool:
    """Whether a condition is about a case."""
    if isinstance(need, OfYardstick):
        return one.size == need.size
    if isinstance(need, OfRoof):
        return one.size >= need.smallest
    return need.smallest <= one.size <= need.largest if isinstance(need, Worst) else True


def _touches(need: Condition, cases: tuple[Case, ...]) -> bool:
    return any(within(need, one) for one in cases)
