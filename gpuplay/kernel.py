"""The kernel contract: a kernel is one frozen value, ``KERNEL = Kernel(...)``.

This module imports neither numba nor numpy, so that reading a declaration costs nothing.
Where a function is expected, bundled kernels name it as ``"module:function"``, relative to
the kernel's package; a learner's one-file kernel gives the function itself.

Argument order, everywhere: arrays that are written (``out``, ``inout``, ``state``) in declared
order, then arrays that are read (``in``, ``weight``) in declared order, then workspaces.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from gpuplay.errors import KernelFileError
from gpuplay.kinds import known
from gpuplay.kinds.kind import Kind
from gpuplay.precision import DTYPES, ITEMSIZE, STORED_AS, UNIT_ROUNDOFF, Formats

Value: TypeAlias = int | float | str
Function: TypeAlias = Callable[..., Any] | str
Role: TypeAlias = Literal["in", "weight", "out", "inout", "state"]
FlynnClass: TypeAlias = Literal["library", "SISD", "SIMD", "MIMD", "SIMT"]

CLASSES: tuple[FlynnClass, ...] = ("library", "SISD", "SIMD", "MIMD", "SIMT")
WRITTEN: tuple[Role, ...] = ("out", "inout", "state")

COMMANDS = (
    *("run", "list", "new", "check", "doctor", "explain", "code"),
    *("ladder", "tune", "roofline", "latency", "compare", "report", "peers"),
)
OPTIONS = (
    *("sizes", "on", "baseline", "threads", "time", "cell_time", "cell_limit", "cell_timeout", "rounds"),
    *("export", "json", "detail", "plan", "seed", "cold", "device", "plain", "debug", "help", "version"),
    *("dtype", "n", "keep_going", "watch", "map", "diff", "quick", "self", "graph", "as", "arch"),
)
RESERVED = frozenset(COMMANDS + OPTIONS)
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Problem:
    """A kernel's size and the values of all its params; ``p.n``, ``p.dtype``, ``p.batch`` read them."""

    kernel: str
    n: int
    params: tuple[tuple[str, Value], ...] = ()

    def __getattr__(self, name: str) -> Any:
        for key, value in object.__getattribute__(self, "params"):
            if key == name:
                return value
        raise AttributeError(f"the problem has no param {name!r}")

    @property
    def itemsize(self) -> int:
        """Bytes of one element of the problem's dtype."""
        return ITEMSIZE[self.dtype]


@dataclass(frozen=True)
class Array:
    """One array of a problem. An empty shape is a scalar; no dtype means the problem's own."""

    name: str
    shape: tuple[int, ...]
    role: Role = "in"
    dtype: str = ""

    def __post_init__(self) -> None:
        if self.dtype and self.dtype not in ITEMSIZE:
            raise KernelFileError(f"array {self.name}: dtype {self.dtype!r} is none of {DTYPES}")

    def nbytes(self, dtype: str) -> int:
        """Bytes of the array in a problem of this dtype."""
        return math.prod(self.shape) * ITEMSIZE[self.dtype or dtype]


@dataclass(frozen=True)
class Cost:
    """Arithmetic of a problem: floating-point operations (fma as two) and bytes moved."""

    flops: float
    bytes: float


@dataclass(frozen=True)
class Param:
    """An axis of the problem beside its size. A default of None follows ``n``."""

    name: str
    help: str
    default: Value | None = None
    choices: tuple[Value, ...] = ()
    low: int = 1
    high: int = 2**40


@dataclass(frozen=True)
class Knob:
    """A compile-time tuning axis: candidate values, the first of them the default unless named.

    ``choose(machine)`` returns the default for a `Machine`, such as a block that fits its caches.
    """

    values: tuple[int, ...]
    default: int = 0
    help: str = ""
    choose: Function | None = None

    def __post_init__(self) -> None:
        if not self.values or any(not isinstance(v, int) or v < 1 for v in self.values):
            raise KernelFileError(f"a knob's values are whole numbers from 1; given {self.values!r}")
        object.__setattr__(self, "default", self.default or self.values[0])


@dataclass(frozen=True)
class Probe:
    """Inputs on which every variant is verified besides the ordinary ones, and never timed.

    ``inputs(problem, rng)`` gives arrays like the kernel's own, or None where it does not apply.
    ``exact`` asks for equality with the reference: sums of small integers have no rounding.
    ``signed_zeros`` also compares the sign of every expected zero.
    """

    name: str
    inputs: Function
    exact: bool = False
    signed_zeros: bool = False


@dataclass(frozen=True)
class Variant:
    """One implementation of a kernel for one target; ``name`` is written ``target:name``.

    ``build(problem, **knobs)`` returns ``run(*arrays)``, on CUDA ``run(gpu, *arrays)``.
    ``applies(problem, knobs, machine)`` returns None, or the reason why the variant cannot serve.
    ``workspace(problem, knobs)`` returns `Array`s that the target allocates and poisons; its ``knobs`` also
    hold ``threads``, the number that the cell runs with.
    ``prepare(problem, *weights, **knobs)`` returns the arrays that take the place of the weights.
    ``work(problem, knobs)`` returns the variant's own `Cost` where it differs from the kernel's.
    ``error_growth`` is how many times the kernel's error bounds its arithmetic needs, derived where it is
    declared: where it is above 1, exact probes are held to these bounds instead of equality.
    ``library`` names what a library variant calls, as text or ``library(problem)``; "BLAS" in it
    becomes the name of NumPy's or PyTorch's, "PyTorch" and "oneDNN" get their versions.
    ``storage`` is the format of its inputs and weights, ``compute`` that of its products' factors, ``accumulate``
    that of their sums, '' the problem's dtype (`gpuplay.precision`). With ``storage`` "bfloat16" a run gets
    arrays of uint16 in the place of those that are only read, converted once; what it writes keeps its dtype.
    ``may_fail`` names probes that a library variant, which is somebody else's, is timed in spite of
    failing; wherever its library is named, it is then said to be wrong there.
    """

    name: str
    flynn: FlynnClass
    idea: str
    build: Function
    knobs: Mapping[str, Knob] = field(default_factory=dict)
    improves_on: str = ""
    threads: Literal["one", "all", ""] = ""
    applies: Function | None = None
    workspace: Function | None = None
    prepare: Function | None = None
    work: Function | None = None
    library: Function | None = None
    error_growth: float = 1.0
    may_fail: tuple[str, ...] = ()
    storage: str = ""
    compute: str = ""
    accumulate: str = ""

    def __post_init__(self) -> None:
        target, _, short = self.name.partition(":")
        if not known.is_known(target) or not _NAME.fullmatch(short):
            targets = ", ".join(known.names())
            raise KernelFileError(f"variant {self.name!r}: a variant is named target:name, the target one of {targets}")
        if fault := known.fault(target):
            raise KernelFileError(f"variant {self.name!r}: target {target!r}: {fault}")
        if self.flynn not in CLASSES:
            raise KernelFileError(f"variant {self.name}: class {self.flynn!r} is none of {', '.join(CLASSES)}")
        if self.may_fail and self.flynn != "library":
            raise KernelFileError(f"variant {self.name}: may_fail is for library variants, not for {self.flynn}")
        if not 1 <= self.error_growth < float("inf"):
            raise KernelFileError(f"variant {self.name}: error_growth is a number from 1; given {self.error_growth!r}")
        for what, formats in (("storage", STORED_AS), ("compute", UNIT_ROUNDOFF), ("accumulate", UNIT_ROUNDOFF)):
            if (given := getattr(self, what)) not in ("", *formats):
                raise KernelFileError(f"variant {self.name}: {what} is one of {', '.join(formats)}; given {given!r}")
        many = self.flynn in ("MIMD", "library") and not self.kind.interpreted
        object.__setattr__(self, "threads", self.threads or ("all" if many else "one"))
        knobs = {k: v if isinstance(v, Knob) else Knob(tuple(v)) for k, v in self.knobs.items()}
        for knob in knobs:
            refuse_bad_name("knob", knob)
        object.__setattr__(self, "knobs", MappingProxyType(knobs))

    def __reduce__(self) -> tuple[Any, ...]:
        values = {f.name: getattr(self, f.name) for f in fields(self)} | {"knobs": dict(self.knobs)}
        return _rebuild, (Variant, values)

    @property
    def target(self) -> str:
        """The part of the name before the colon."""
        return self.name.partition(":")[0]

    @property
    def kind(self) -> Kind:
        """The row of its target."""
        return known.kind_of(self.target)

    @property
    def formats(self) -> Formats:
        """In what it stores, multiplies and adds up numbers."""
        return Formats(self.storage, self.compute, self.accumulate)

    @property
    def precision(self) -> str:
        """The format that its numbers are rounded to; '' where none is coarser than the problem's dtype."""
        return self.formats.precision

    def stored(self, array: Array, dtype: str) -> Array:
        """An array of a problem of this dtype as the variant gets it: one that it only reads, in its storage."""
        floating = (array.dtype or dtype).startswith("float")
        converted = self.storage and floating and array.shape and array.role in ("in", "weight")
        return replace(array, dtype=STORED_AS[self.storage]) if converted else array

    @property
    def default_knobs(self) -> dict[str, int]:
        """Every knob at its default value, where the machine has no say."""
        return {name: knob.default for name, knob in self.knobs.items()}


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """A computation with a declared problem, and the variants that compute it.

    ``arrays(problem)`` returns the `Array`s; a one-file kernel may give ``output(problem)``, the
    shape of its only output, instead: its inputs are then what ``inputs`` returns, in that order.
    ``inputs(problem, rng)`` returns a dict with every array that is not ``out``, by name.
    ``reference(problem, *inputs)`` gets float64 copies and returns the outputs (``out`` and
    ``inout``), one array or a tuple, in declared order.
    ``check(problem, outputs, inputs, rng)`` yields `gpuplay.bounds.Comparison`s where the full
    reference would cost more than the timed work; both are dicts of host arrays by name.
    ``cost(problem)`` returns a `Cost`: flops, and compulsory bytes (each array moved once).
    ``tolerance(problem, expected, *inputs)`` returns one absolute error bound, array or scalar, for
    each output; the default follows from the dtype and ``reduction(problem)``, the length of the
    longest sum (1 when not given), which variants in coarser formats are held to as well.
    ``applies(problem)`` returns None, or the reason why the params contradict each other.
    ``check_at`` are params with which ``check`` walks through awkward sizes, where the defaults would
    take long; ``odd_shapes`` are further params at which it verifies, the non-square shapes among them.
    """

    name: str
    summary: str
    size: str
    inputs: Function
    reference: Function
    variants: tuple[Variant, ...]
    arrays: Function | None = None
    output: Function | None = None
    cost: Function | None = None
    params: tuple[Param, ...] = ()
    check: Function | None = None
    probes: tuple[Probe, ...] = ()
    tolerance: Function | None = None
    reduction: Function | None = None
    applies: Function | None = None
    baseline: str = ""
    story: tuple[str, ...] = ()
    size_help: str = "the swept size n"
    dtypes: tuple[str, ...] = ("float32", "float64")
    check_at: Mapping[str, Value] = field(default_factory=dict)
    odd_shapes: tuple[Mapping[str, Value], ...] = ()

    def __post_init__(self) -> None:
        refuse_bad_name("kernel", self.name)
        if not self.variants:
            raise KernelFileError(f"kernel {self.name}: declares no variants")
        if self.arrays is None and self.output is None:
            raise KernelFileError(f"kernel {self.name}: declare arrays=… or output=…")
        unknown = [dtype for dtype in self.dtypes if dtype not in ITEMSIZE]
        if unknown or not self.dtypes:
            raise KernelFileError(f"kernel {self.name}: dtypes are some of {DTYPES}; given {self.dtypes!r}")
        axes = [param.name for param in self.params]
        for axis in axes:
            refuse_bad_name("param", axis)
        names = [variant.name for variant in self.variants]
        knobs = {knob for variant in self.variants for knob in variant.knobs}
        for kind, many in (("param", axes), ("variant", names), ("param and knob", [*axes, *knobs])):
            twice = {name for name in many if many.count(name) > 1}
            if twice:
                raise KernelFileError(f"kernel {self.name}: {kind} {twice.pop()!r} is declared twice")
        for name in (*self.story, self.baseline, *(v.improves_on for v in self.variants)):
            if name and name not in names:
                raise KernelFileError(f"kernel {self.name}: names {name!r}, which is none of its variants")

    @property
    def baseline_name(self) -> str:
        """The variant that stands under every ×: the declared one, or the first."""
        return self.baseline or self.variants[0].name

    @property
    def story_names(self) -> tuple[str, ...]:
        """The default selection: the declared one, or the baseline and the last variant of each class."""
        if self.story:
            return self.story
        best = {v.flynn: v.name for v in self.variants if v.name != self.baseline_name and not v.kind.interpreted}
        return (self.baseline_name, *(best[c] for c in CLASSES if c in best))

    @property
    def axes(self) -> tuple[Param, ...]:
        """All params, the dtype among them."""
        choice = "element type: " + " or ".join(self.dtypes)
        return (*self.params, Param("dtype", choice, self.dtypes[0], self.dtypes))

    def variant(self, name: str) -> Variant:
        """The variant of this name; KeyError where there is none."""
        for variant in self.variants:
            if variant.name == name:
                return variant
        raise KeyError(name)

    def problem(self, n: int, **params: Value) -> Problem:
        """The problem of size ``n``, with defaults for every param that is not given."""
        chosen = {axis.name: n if axis.default is None else axis.default for axis in self.axes}
        return Problem(self.name, n, tuple((chosen | params).items()))


def without_functions(kernel: Kernel) -> Kernel:
    """The declaration as plain data, which can cross a process boundary: functions become names."""

    def plain(value: Any) -> Any:
        if callable(value):
            return f"<{getattr(value, '__name__', 'function')}>"
        return value

    def strip(record: Any, **changes: Any) -> Any:
        return replace(record, **{f.name: plain(getattr(record, f.name)) for f in fields(record)} | changes)

    def stripped_variant(variant: Variant) -> Variant:
        bare: Variant = strip(variant, knobs={name: strip(knob) for name, knob in variant.knobs.items()})
        return bare

    variants = tuple(stripped_variant(variant) for variant in kernel.variants)
    stripped: Kernel = strip(kernel, variants=variants, probes=tuple(strip(probe) for probe in kernel.probes))
    return stripped


def _rebuild(cls: type, values: dict[str, Any]) -> Any:
    return cls(**values)


def refuse_bad_name(kind: str, name: str) -> None:
    """Raise KernelFileError where a kernel, param or knob cannot have this name."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise KernelFileError(f"{kind} {name!r}: a name is a-z, digits and _, and starts with a letter")
    if name in RESERVED:
        raise KernelFileError(f"{kind} {name!r}: the name is reserved for a gpuplay command or option; choose another")
