"""One problem on one target: its arrays, the inputs they hold, and the verdict on what a run left there."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.errors import KernelFileError
from gpuplay.kernel import Probe
from gpuplay.measure import verify
from gpuplay.measure.data import BEFORE, BEHIND, READ, Placed
from gpuplay.plan.shapes import declared_arrays
from gpuplay.precision import growth, stored
from gpuplay.results.result import ErrorReport, Transfer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpuplay.catalog.load import Loaded
    from gpuplay.kernel import Problem, Variant
    from gpuplay.measure.poison import Poison
    from gpuplay.results.cell import Cell
    from gpuplay.targets.base import Target

KEEP_EXPECTED_BYTES = 256 << 20
PROBED_BYTES = 64 << 20
LEAST_TELLING = 16  # elements that are hardly all the same by chance


class ProblemData:
    """The arrays of a problem, shared by all variants that run on one target in this process."""

    def __init__(self, loaded: Loaded, problem: Problem, target: Target, seed: tuple[int, ...]) -> None:
        self.problem = problem
        self.target = target
        self._loaded = loaded
        self._seed = seed
        drawn = self._draw(loaded.kernel.inputs, 0)
        self.arrays = declared_arrays(loaded, problem, drawn)
        self._placed = {a.name: Placed(target, a, problem.dtype) for a in self.arrays if a.shape}
        self._stored: dict[str, dict[str, Placed]] = {}
        self._scalars: dict[str, Any] = {}
        self._pristine: dict[str, NDArray[Any]] = {}
        self._checksums: dict[str, int] = {}
        self._expected: dict[str, tuple[verify.Expected, verify.Bounds]] = {}
        self._holds = ""
        self._fill("inputs", drawn)

    @property
    def written_inputs(self) -> bool:
        """True where a run overwrites what it reads, so that it cannot be called twice in a row."""
        return bool(self._pristine)

    def restore(self) -> None:
        """Put the ordinary inputs back, if a probe or a variant has replaced them."""
        if self._holds != "inputs":
            self.draw_guards()
            self._fill("inputs", self._draw(self._loaded.kernel.inputs, 0))

    def rewind(self) -> None:
        """Give arrays that a run reads and writes their first values again."""
        for name, values in self._pristine.items():
            self._placed[name].write(values)

    def poison_outputs(self) -> None:
        """Make every output element NaN, and rewind the arrays that are also inputs."""
        for array in self.arrays:
            if array.role == "out":
                self._placed[array.name].poison()
        self.rewind()

    def probes(self) -> Iterator[Probe]:
        """Every probe that applies to this problem, its inputs in place of the ordinary ones.

        Large problems have none: the smaller sizes of a sweep and `check` show the same code on them.
        """
        if sum(array.nbytes(self.problem.dtype) for array in self.arrays) > PROBED_BYTES:
            return
        for number, probe in enumerate(self._loaded.kernel.probes, start=1):
            drawn = self._draw(probe.inputs, number)
            if drawn is not None:
                self._fill(probe.name, drawn)
                yield probe

    def blind_spots(self) -> tuple[str, ...]:
        """What the inputs of a user's kernel cannot show: arrays and expected outputs that are one value throughout."""
        if self._loaded.origin.kind == "bundled":
            return ()
        expected, _ = self._expected.get("inputs", ({}, {}))  # what was too large to be computed is left alone
        found = [f"{name} is {value}" for name, value in _constant(self._inputs())]
        found += [f"the expected {name} is {value}" for name, value in _constant(expected)]
        return tuple(f"{what} everywhere: a wrong index would not show" for what in found)

    @property
    def output_bytes(self) -> int:
        """Bytes of all that a run writes."""
        return sum(array.nbytes(self.problem.dtype) for array in self.arrays if array.role in ("out", "inout"))

    def outputs(self) -> dict[str, NDArray[Any]]:
        """Host copies of all that a run writes."""
        return {a.name: self._placed[a.name].read() for a in self.arrays if a.role in ("out", "inout")}

    def patterns(self) -> dict[str, Poison]:
        """What the outputs were last poisoned with."""
        return {array.name: self._placed[array.name].pattern for array in self.arrays if array.role == "out"}

    def draw_guards(self) -> None:
        """Put other bits around all arrays."""
        for placed in self._everything().values():
            placed.draw_guards()

    def read_zones(self) -> Iterator[tuple[Placed, str]]:
        """The zones behind and before every array that is only read, where numbers stand that must not matter."""
        for placed in self._everything().values():
            if placed.array.role in READ:
                yield from ((placed, BEHIND), (placed, BEFORE))

    def weights(self) -> list[NDArray[Any]]:
        """Host copies of the weights, in declared order."""
        return [self._placed[a.name].read() for a in self.arrays if a.role == "weight"]

    def arguments(self, prepared: list[Placed] | None, variant: Variant) -> list[Any]:
        """The arguments of a variant's run in order; prepared weights stand where the first weight was."""
        found: list[Any] = []
        inserted = prepared is None
        own = self._in_storage(variant)
        for array in self.arrays:
            if array.role == "weight" and prepared is not None:
                found += [] if inserted else [placed.view for placed in prepared]
                inserted = True
            else:
                placed = own.get(array.name) or self._placed.get(array.name)
                found.append(placed.view if placed else self._scalars[array.name])
        return found

    def transfer(self, variant: Variant) -> Transfer:
        """Seconds to copy all inputs of a variant to the target, and all outputs back; medians of three."""
        own = self._in_storage(variant)
        read = [own.get(a.name) or self._placed[a.name] for a in self.arrays if a.shape and a.role != "out"]
        written = [self._placed[a.name] for a in self.arrays if a.role in ("out", "inout")]
        hosts = [placed.read() for placed in read]
        there, back = [], []
        for _ in range(3):
            began = time.perf_counter()
            for placed, host in zip(read, hosts, strict=True):
                placed.write(host)
            there.append(time.perf_counter() - began)
            began = time.perf_counter()
            for placed in written:
                placed.read()
            back.append(time.perf_counter() - began)
        return Transfer(float(np.median(there)), float(np.median(back)))

    def foul(self) -> str:
        """What a run broke that is not its own: a write outside an array, a changed input; '' where nothing."""
        for name, placed in self._everything().items():
            where = placed.stray_write()
            if where or (name in self._checksums and placed.checksum() != self._checksums[name]):
                self._holds = ""  # restore() puts everything back before anybody else runs
                return f"writes outside {name}, {where}" if where else f"changes its input {name}"
        return ""

    def verdict(self, cell: Cell, probe: Probe | None = None) -> verify.Verdict:
        """Judge what a run left: stray writes, changed inputs, then the outputs."""
        if fouled := self.foul():
            return verify.Verdict(ErrorReport(None, None, None), fouled, foul=True)
        verdict = self._compared(cell, probe)
        for array in self.arrays:
            if not verdict.reason and array.role == "out" and (count := self._placed[array.name].unwritten()):
                reason = f"{count} elements of {array.name} were never written"
                return verify.Verdict(verdict.error, reason)
        return verdict

    def _compared(self, cell: Cell, probe: Probe | None) -> verify.Verdict:
        """Judge the outputs: against the reference, or by the kernel's check where they are large."""
        outputs = self.outputs()
        shapes = {name: values.shape for name, values in outputs.items()}
        variant = self._loaded.kernel.variant(cell.variant)
        kernel = self._loaded.kernel
        length = self._loaded.call(kernel.reduction, self.problem) if kernel.reduction else 1
        rule = verify.Rule(
            exact=probe is not None and probe.exact and variant.error_growth == 1,
            growth=variant.error_growth * growth(variant.formats, self.problem.dtype, length),
            signed_zeros=probe is not None and probe.signed_zeros,
            shapes=shapes,
            knobs=dict(cell.knobs),
            poison=self.patterns(),
        )
        cost = self._loaded.call(kernel.cost, self.problem) if kernel.cost else None
        large = verify.is_large(cost.flops if cost else 0.0, sum(values.size for values in outputs.values()))
        if kernel.check and large:
            rng = np.random.default_rng(self._seed)
            comparisons = self._loaded.resolve(kernel.check)(self.problem, outputs, self._inputs(), rng)
            return verify.judge(comparisons, rule)
        return verify.judge(verify.whole(outputs, *self._reference()), rule)

    def _reference(self) -> tuple[verify.Expected, verify.Bounds]:
        if self._holds in self._expected:
            return self._expected[self._holds]
        found = verify.reference(self._loaded, self.problem, self.arrays, self._inputs())
        for name, values in found[0].items():
            if self._holds == "inputs" and values.size and np.isnan(values).all():
                raise KernelFileError(f"kernel {self.problem.kernel}: the reference of {name} is NaN everywhere")
        if sum(values.nbytes for values in found[0].values()) <= KEEP_EXPECTED_BYTES:
            self._expected[self._holds] = found
        return found

    def _inputs(self) -> dict[str, NDArray[Any]]:
        """Host copies of everything a run reads, as it was before the run."""
        found = {name: np.asarray(value) for name, value in self._scalars.items()}
        found |= {name: values.copy() for name, values in self._pristine.items()}
        for array in self.arrays:
            if array.name not in found and array.role != "out":
                found[array.name] = self._placed[array.name].read()
        return found

    def _draw(self, inputs: Any, number: int) -> dict[str, Any] | None:
        rng = np.random.default_rng([*self._seed, number])
        drawn = self._loaded.call(inputs, self.problem, rng)
        if drawn is not None and not isinstance(drawn, dict):
            raise KernelFileError(f"kernel {self.problem.kernel}: inputs(problem, rng) must return a dict of arrays")
        return drawn

    def _fill(self, what: str, drawn: dict[str, Any] | None) -> None:
        """Write a set of inputs to the target, and remember their checksums."""
        assert drawn is not None
        for array in self.arrays:
            if array.role == "out":
                continue
            if array.name not in drawn:
                raise KernelFileError(f"kernel {self.problem.kernel}: inputs gives no array {array.name!r}")
            values = np.asarray(drawn[array.name])
            if values.shape != array.shape:
                raise KernelFileError(
                    f"kernel {self.problem.kernel}: inputs gives {array.name} the shape {values.shape}, "
                    f"declared is {array.shape}"
                )
            if not array.shape:
                self._scalars[array.name] = np.dtype(array.dtype or self.problem.dtype).type(values)
                continue
            placed = self._placed[array.name]
            placed.write(values)
            if array.role in ("inout", "state"):
                self._pristine[array.name] = placed.read()
            else:
                self._checksums[array.name] = placed.checksum()
        for storage, arrays in self._stored.items():
            self._convert(storage, arrays)
        self._holds = what

    def _in_storage(self, variant: Variant) -> dict[str, Placed]:
        """The arrays that a variant reads in a storage format of its own; converted once, then shared."""
        if not variant.storage:
            return {}
        if variant.storage not in self._stored:
            dtype = self.problem.dtype
            kept = [(array, variant.stored(array, dtype)) for array in self.arrays]
            arrays = {a.name: Placed(self.target, own, dtype) for a, own in kept if own is not a}
            self._convert(variant.storage, arrays)
            self._stored[variant.storage] = arrays
        return self._stored[variant.storage]

    def _convert(self, storage: str, arrays: dict[str, Placed]) -> None:
        """Fill arrays with what the problem holds now, rounded to a storage format."""
        for name, placed in arrays.items():
            placed.write(stored(self._placed[name].read(), storage))
            self._checksums[_label(name, storage)] = placed.checksum()

    def _everything(self) -> dict[str, Placed]:
        """All arrays by what messages call them: the problem's own, and those in other storage formats."""
        others = {_label(name, s): placed for s, arrays in self._stored.items() for name, placed in arrays.items()}
        return self._placed | others


def _constant(arrays: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, Any]]:
    """The arrays of several elements that are all the same, with that value."""
    for name, values in arrays.items():
        if values.size >= LEAST_TELLING and (values == values.reshape(-1)[0]).all():
            yield name, values.reshape(-1)[0].item()


def _label(name: str, storage: str) -> str:
    """What messages call an array in another storage format."""
    return f"{name} ({storage})"
