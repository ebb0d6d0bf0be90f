"""The target ``turns``: parallel loops of the CPU taken turn by turn, and who touches what is written down.

Numba may give any two turns of a ``prange`` to two threads at once, so no turn may read or write an element that
another writes. Here functions are not compiled: the turns go one after the other through Python, over arrays that know
their elements, and the first two that meet at one are told with their lines. What a race does to a run is luck; that
there is one does not depend on luck.

Two turns that write the same value are let pass, and so is what Numba adds up itself: an array under a bare name, as in
``total += row``. A run that asks which thread it is on is let go. Arrays that the function makes itself are not
watched, nor what goes through ``flat``.
"""

from __future__ import annotations

import ast
import inspect
import linecache
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.errors import GpuplayError
from gpuplay.targets.host import CpuTarget

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpuplay.targets.base import Call

MOST_ACCESSES = 300_000  # of a run, which then is let go: about a second
NOWHERE = -1


class Meeting(GpuplayError):
    """Two turns of a parallel loop met at an element that one of them writes."""


class Enough(Exception):
    """So many accesses were seen that the run is let go."""


class TurnsTarget(CpuTarget):
    """Runs interpreted functions over watched arrays; `install` comes before the kernel is loaded."""

    name = "turns"

    def bind(self, run: Callable[..., object], arrays: Sequence[Any]) -> Call:
        """The run on watched arrays, named as its parameters are."""
        names = [*inspect.signature(run).parameters] if callable(run) else []
        names += [f"argument {number}" for number in range(len(names), len(arrays))]

        def call() -> None:
            ledger.begin()
            try:
                run(*map(_watched, arrays, names))
            except Enough:
                return

        return call


def install() -> None:
    """Let every parallel loop that is defined from now on tell its turns; Numba must not compile in this process."""
    import numba
    from numba.misc import special

    for module in (numba, special):
        vars(module)["prange"] = _turns
    vars(numba)["get_thread_id"] = _give_up


def _give_up() -> int:
    """What a thread does with places of its own does not show turn by turn."""
    raise Enough


def _turns(*bounds: int) -> Iterator[int]:
    """What ``prange`` is here: the turns of the outermost loop, one after the other."""
    if ledger.turn != NOWHERE:
        yield from range(*bounds)
        return
    ledger.region += 1
    try:
        for number, value in enumerate(range(*bounds)):
            ledger.turn = number
            yield value
    finally:
        ledger.turn = NOWHERE


@dataclass
class Shadow:
    """Of each element of an array: the loop and turn that last wrote and read it, the line, and whether many read."""

    name: str
    shape: tuple[int, ...]
    address: int
    itemsize: int
    written: NDArray[Any]
    read: NDArray[Any]

    @classmethod
    def of(cls, name: str, array: NDArray[Any]) -> Shadow:
        """Of a C-contiguous array that nobody has touched: for each element loop, turn and line."""
        written, read = (np.full((array.size, 3), NOWHERE) for _ in range(2))
        return cls(name, array.shape, array.ctypes.data, array.itemsize, written, read)

    def holds(self, view: NDArray[Any]) -> bool:
        """Whether the first element of a view is one of the array's."""
        return 0 <= view.ctypes.data - self.address < len(self.written) * self.itemsize

    def ids_of(self, view: NDArray[Any]) -> NDArray[Any]:
        """Which elements of the array a view has, by the address of each."""
        first = (view.ctypes.data - self.address) // self.itemsize
        axes = np.ix_(
            *(
                np.arange(extent) * (step // self.itemsize)
                for extent, step in zip(view.shape, view.strides, strict=True)
            )
        )
        return np.broadcast_to(first + sum(axes, np.zeros((), np.int64)), view.shape)


class Ledger:
    """Who touched what: the loop and the turn under way, and the number of accesses."""

    def __init__(self) -> None:
        self.region = self.turn = NOWHERE
        self.accesses = 0

    def begin(self) -> None:
        """A run begins."""
        self.region = self.turn = NOWHERE
        self.accesses = 0

    def note_read(self, shadow: Shadow, ids: Any) -> None:
        """The turn under way reads these elements."""
        if (line := self._line()) is None:
            return
        self._meet(shadow, ids, shadow.written, "reads", "wrote")
        others = (shadow.read[ids, 0] == self.region) & (shadow.read[ids, 1] != self.turn)
        if not np.any(others):
            shadow.read[ids] = self.region, self.turn, line
        else:  # two turns read it: whoever writes it meets one of them
            keep = np.atleast_1d(ids)[~np.atleast_1d(others)]
            shadow.read[keep] = self.region, self.turn, line

    def note_write(self, shadow: Shadow, ids: Any, *, same: Any) -> None:
        """The turn under way writes these elements; ``same`` where the value stands there already."""
        if (line := self._line()) is None:
            return
        changed = np.atleast_1d(ids)[~np.atleast_1d(same)]
        self._meet(shadow, changed, shadow.written, "writes", "wrote")
        self._meet(shadow, changed, shadow.read, "writes", "read")
        shadow.written[ids] = self.region, self.turn, line

    def _meet(self, shadow: Shadow, ids: Any, log: NDArray[Any], does: str, did: str) -> None:
        flat = np.atleast_1d(ids)
        met = (log[flat, 0] == self.region) & (log[flat, 1] != self.turn)
        if not met.any():
            return
        where = int(flat[met.argmax()])
        _, turn, line = (int(value) for value in log[where])
        index = ", ".join(str(int(i)) for i in np.unravel_index(where, shadow.shape))
        file, here = self._place()
        then = f"line {line}" if line != here else "the same line"
        raise Meeting(
            f"race: turn {self.turn} of the prange {does} {shadow.name}[{index}], which turn {turn} {did} in {then} "
            f"({Path(file).name}:{here}); let each turn have elements of its own, or add up under a bare name, "
            "as in `total += value`, which Numba reduces"
        )

    def _line(self) -> int | None:
        """The line under way in the user's file; None outside of a parallel loop."""
        if self.turn == NOWHERE:
            return None
        self.accesses += 1
        if self.accesses > MOST_ACCESSES:
            raise Enough
        return self._place()[1]

    def by_a_name(self) -> bool:
        """Whether the line under way changes a variable as a whole, such as ``total += row``: Numba reduces that."""
        file, line = self._place()
        try:
            [statement] = ast.parse(linecache.getline(file, line).strip()).body
        except (SyntaxError, ValueError):
            return False
        return isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name)

    @staticmethod
    def _place() -> tuple[str, int]:
        frame = inspect.currentframe()
        while frame and frame.f_code.co_filename == __file__:
            frame = frame.f_back
        assert frame is not None
        return frame.f_code.co_filename, frame.f_lineno


ledger = Ledger()


class Watched(np.ndarray[Any, Any]):
    """An array that tells the ledger which elements are read and written; its views do, too."""

    shadow: Shadow | None
    ids: Any

    def __array_finalize__(self, source: Any) -> None:
        """What shares the memory of a watched array is watched, too: a transpose, another shape. A copy is not."""
        self.shadow = self.ids = None
        shadow = getattr(source, "shadow", None)
        if shadow is not None and self.dtype == source.dtype and self.size and shadow.holds(self):
            self.shadow, self.ids = shadow, shadow.ids_of(self)

    def __getitem__(self, key: Any) -> Any:
        """A view that is watched, too, or the elements, which are read now."""
        found = super().__getitem__(key)
        if self.shadow is None:
            return found
        if isinstance(found, Watched) and found.shadow is not None:
            return found
        ledger.note_read(self.shadow, self.ids[_plain(key)])
        return _plain(found)

    def __iter__(self) -> Iterator[Any]:
        """The rows, or the elements, which are read as they come."""
        return (self[i] for i in range(len(self)))

    def fill(self, value: Any) -> None:
        """Write every element."""
        self[...] = value

    def __setitem__(self, key: Any, value: Any) -> None:
        """Write elements."""
        key, value = _plain(key), _plain(value)
        if self.shadow is not None:
            with np.errstate(all="ignore"):
                old, new = self.view(np.ndarray)[key], np.asarray(value).astype(self.dtype)
            same = np.broadcast_to(old == new, np.shape(old))
            ledger.note_write(self.shadow, np.ravel(self.ids[key]), same=np.ravel(same))
        super().__setitem__(key, value)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        """Arithmetic on whole arrays reads all their elements, and writes those of ``out``."""
        added_up = out is not None and any(one is out[0] for one in inputs) and ledger.by_a_name()
        for one in () if added_up else inputs:
            if isinstance(one, Watched) and one.shadow is not None:
                ledger.note_read(one.shadow, np.ravel(one.ids))
        given = {} if out is None else {"out": tuple(_plain(one) for one in out)}
        for one in () if added_up else out or ():
            if isinstance(one, Watched) and one.shadow is not None:
                ledger.note_write(one.shadow, np.ravel(one.ids), same=np.zeros(one.ids.size, np.bool_))
        found = getattr(ufunc, method)(*(_plain(one) for one in inputs), **given, **options)
        return out[0] if out is not None else found


def _watched(array: Any, name: str) -> Any:
    """An argument of a run: watched where it is an array."""
    if not isinstance(array, np.ndarray):
        return array
    view = array.view(Watched)
    view.shadow = Shadow.of(name, array)
    view.ids = np.arange(array.size).reshape(array.shape)
    return view


def _plain(value: Any) -> Any:
    """The same without the watch: an array, a scalar, or a tuple of them as an index is."""
    if isinstance(value, tuple):
        return tuple(_plain(one) for one in value)
    return value.view(np.ndarray) if isinstance(value, Watched) else value
