"""CUDA variants without a GPU: what a run launches, its PTX, and the machine code that ptxas makes of it.

A run is given arrays without contents; the launches are recorded, then compiled by numba-cuda for
a stated compute capability. ptxas and nvdisasm come from the wheels nvidia-cuda-nvcc and
nvidia-cuda-nvdisasm. Numba's disk cache plays no part. Importing this module imports no numba.
"""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

from gpuplay.errors import GpuplayError
from gpuplay.machine.limits import Dims
from gpuplay.machine.model import GpuModel, model_of
from gpuplay.targets.cuda import tensor_maps
from gpuplay.targets.stand_ins.gpu import ModelledGpu

Capability: TypeAlias = tuple[int, int] | tuple[int, int, str]
ARCHITECTURE_SPECIFIC = (9, 0)  # from here on: sm_90a has wgmma and setmaxnreg, plain sm_90 has not
TOOLS = {"ptxas": "nvidia-cuda-nvcc", "nvdisasm": "nvidia-cuda-nvdisasm"}
KEPT_OPTIONS = ("debug", "lineinfo", "fastmath", "opt", "launch_bounds")


@dataclass(frozen=True)
class Launch:
    """One launch that a run asked for: the GPU function, its geometry, its Numba argument types."""

    function: Any
    grid: Dims
    block: Dims
    types: tuple[Any, ...]
    shared: int = 0


@dataclass(frozen=True)
class MachineCode:
    """What ptxas reports of one entry, bytes where not a count, and its disassembly where that was asked for."""

    registers: int
    spill_stores_bytes: int
    spill_loads_bytes: int
    stack_bytes: int
    shared_bytes: int
    sass: str


@dataclass(frozen=True)
class Inspected:
    """A GPU function as one variant launches it, ``launches`` times, compiled for one compute capability."""

    name: str
    launch: Launch
    ptx: str
    code: MachineCode | None = None
    launches: int = 1


class OfflineGpu(ModelledGpu):
    """What a run launches through where launches are recorded; nothing runs, so fills and copies do nothing."""

    def __init__(self, properties: GpuModel | None = None) -> None:
        super().__init__(properties)
        self.launches: list[Launch] = []

    def fill(self, array: Any, value: float) -> None:
        """There is nothing to set."""

    def copy(self, destination: Any, source: Any) -> None:
        """There is nothing to copy."""

    def tensor_map(self, array: Any, box: tensor_maps.Box) -> Any:
        """The shape of a description; LaunchError where the matrix cannot be described."""
        tensor_maps.refuse_map(self._properties, array, box)
        return hollow((tensor_maps.WORDS,), "uint64")

    def _take(self, function: Any, grid: Dims, block: Dims, args: tuple[Any, ...], shared: int) -> None:
        self.launches.append(Launch(function, grid, block, tuple(numba_type(arg) for arg in args), shared))


def hollow(shape: tuple[int, ...], dtype: str) -> Any:
    """A NumPy array of this shape that takes the memory of one element; a NumPy scalar for shape ()."""
    import numpy as np

    return np.broadcast_to(np.zeros((), dtype=dtype), shape) if shape else np.dtype(dtype).type(0)


def numba_type(value: Any) -> Any:
    """The type that numba-cuda gives to a device array like this array (C-contiguous), or to this scalar."""
    import numpy as np
    from numba.cuda import types
    from numba.cuda.np.numpy_support import from_dtype
    from numba.cuda.typing.typeof import Purpose, typeof

    if isinstance(value, np.ndarray):
        return types.Array(from_dtype(value.dtype), value.ndim, "C")
    return typeof(value, Purpose.argument)


def inspect(
    run: Callable[..., object],
    arrays: Sequence[Any],
    cc: Capability,
    *,
    assemble: bool = True,
    disassemble: bool = True,
    lineinfo: bool = False,
) -> list[Inspected]:
    """Every distinct GPU function (by function and types) that a run launches, compiled for ``cc``.

    ``arrays`` may be `hollow`. Without ``assemble`` there is only PTX, which needs no ptxas; without
    ``disassemble`` no machine code as text, which takes nvdisasm half a second each. With ``lineinfo`` both name
    the lines of source that they come from.
    """
    gpu = OfflineGpu(model_of(cc))
    run(gpu, *arrays)
    distinct: dict[tuple[int, tuple[Any, ...]], list[Launch]] = {}
    for launch in gpu.launches:
        distinct.setdefault((id(launch.function), launch.types), []).append(launch)
    inspected = []
    for launch, *more in distinct.values():
        ptx = compile_ptx(launch.function, launch.types, cc, lineinfo=lineinfo)
        code = None
        if assemble:
            limit = launch.function.targetoptions.get("max_registers")
            code = machine_code(ptx, cc, max_registers=limit, disassemble=disassemble, lineinfo=lineinfo)
        inspected.append(Inspected(launch.function.__name__, launch, ptx, code, 1 + len(more)))
    return inspected


def architecture(cc: Capability) -> Capability:
    """The capability that code is compiled for: from 9.0 on with all that the architecture has, as on a device.

    numba-cuda does the same where it compiles for the device at hand (``CUDACodeLibrary._ensure_cc``).
    """
    return (*cc, "a") if len(cc) == 2 and cc >= ARCHITECTURE_SPECIFIC else cc


def compile_ptx(function: Any, types: Sequence[Any], cc: Capability, *, lineinfo: bool = False) -> str:
    """PTX of a ``@cuda.jit`` function for these Numba argument types, with the options it was declared with."""
    from numba import cuda

    options = function.targetoptions
    if options.get("link"):
        raise GpuplayError(f"{function.__name__}: a function with linked files cannot be compiled without a GPU")
    kept = {name: options[name] for name in KEPT_OPTIONS if name in options}
    kept |= {"lineinfo": True} if lineinfo else {}
    with _compute_capability(cc), _lines_only():
        ptx, _ = cuda.compile(
            function.py_func, tuple(types), device=False, abi="numba", output="ptx", cc=architecture(cc), **kept
        )
    return str(ptx)


def machine_code(
    ptx: str,
    cc: Capability,
    *,
    max_registers: int | None = None,
    disassemble: bool = True,
    lineinfo: bool = False,
) -> MachineCode:
    """Assemble PTX with ptxas and disassemble it; GpuplayError where a tool is missing or refuses."""
    with tempfile.TemporaryDirectory(prefix="gpuplay-") as folder:
        source, cubin = Path(folder, "function.ptx"), Path(folder, "function.cubin")
        source.write_text(ptx)
        options = [f"--maxrregcount={max_registers}"] if max_registers else []
        options += ["-lineinfo"] if lineinfo else []
        options += ["-c"] if ".extern .func" in ptx else []  # a grid sync is a function of the driver's library
        arch = "sm_" + "".join(map(str, architecture(cc)))
        report = _run(tool("ptxas"), "-v", f"-arch={arch}", *options, "-o", str(cubin), str(source))
        shown = ["-c", "-g"] if lineinfo else ["-c"]
        return _parsed(report, _run(tool("nvdisasm"), *shown, str(cubin)) if disassemble else "")


def tool(name: str) -> str:
    """The path of ptxas or nvdisasm: inside its wheel, else on PATH; GpuplayError where it is neither."""
    executable = f"{name}.exe" if sys.platform == "win32" else name
    try:
        files = importlib.metadata.files(TOOLS[name]) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == executable and file.parent.name == "bin":
            return str(file.locate())
    if found := shutil.which(name):
        return found
    raise GpuplayError(f"{name} is not installed; pip install {TOOLS[name]}")


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise GpuplayError(f"{Path(command[0]).name} fails: {(done.stderr or done.stdout).strip()}")
    return done.stderr + done.stdout


def _parsed(report: str, sass: str) -> MachineCode:
    """The counts in the report of ``ptxas -v``: of the entry, or the largest where device functions stand beside it."""

    def largest(pattern: str) -> int:
        return max((int(count) for count in re.findall(pattern, report)), default=0)

    return MachineCode(
        registers=largest(r"Used (\d+) registers"),
        spill_stores_bytes=largest(r"(\d+) bytes spill stores"),
        spill_loads_bytes=largest(r"(\d+) bytes spill loads"),
        stack_bytes=largest(r"(\d+) bytes stack frame"),
        shared_bytes=largest(r"(\d+) bytes smem"),
        sass=sass,
    )


@contextmanager
def _compute_capability(cc: Capability) -> Iterator[None]:
    """Answer numba-cuda's question for the current device, which device functions ask, with a stated capability."""
    from numba.cuda import dispatcher

    stated = SimpleNamespace(compute_capability=(cc[0], cc[1]))
    asked, dispatcher.get_current_device = dispatcher.get_current_device, lambda: stated
    try:
        yield
    finally:
        dispatcher.get_current_device = asked


@contextmanager
def _lines_only() -> Iterator[None]:
    """Line information without the values of variables, which nothing here shows.

    With them NVVM refuses some functions: "Symbol name with unsupported characters".
    """
    from numba.cuda import debuginfo

    kind = debuginfo.CUDADIBuilder
    told, kind.update_variable = kind.update_variable, lambda *_args, **_more: None
    try:
        yield
    finally:
        kind.update_variable = told
