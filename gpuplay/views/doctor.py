"""The table of ``gpuplay doctor``: what this machine can do, what is missing, and what mends it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from gpuplay import units

Facts: TypeAlias = Mapping[str, Any]
State: TypeAlias = Literal["ok", "missing", "mismatch", ""]

OLDEST_DRIVER_CUDA = 12  # the oldest CUDA that numba-cuda's wheels still come for
MARGIN, WHAT, STATE = 2, 16, 10


@dataclass(frozen=True)
class Item:
    """One thing that was looked at. ``state`` is empty for a fact that cannot be wrong; ``mend`` is a command."""

    what: str
    state: State
    found: str
    mend: str = ""


def lines(facts: Facts) -> tuple[Item, ...]:
    """Everything that was looked at, in the order in which it is shown."""
    return (*_host(facts), *_libraries(facts), *_peers(facts), *_targets(facts), *_roofs(facts), *_cuda(facts))


def works(facts: Facts) -> bool:
    """Whether the CPU side works: a worker started and could run in parallel."""
    return facts["worker"] is not None


def table(facts: Facts, width: int = 80) -> str:
    """The lines as text of at most ``width`` columns, commands excepted: those are never broken."""
    shown = [f"gpuplay {facts['gpuplay']}", ""]
    for line in lines(facts):
        shown += _row(line, width)
    return "\n".join([*shown, "", *textwrap.wrap(_verdict(facts), width)]) + "\n"


def _row(line: Item, width: int) -> list[str]:
    indent = " " * (MARGIN + WHAT + STATE)
    found = textwrap.wrap(line.found, max(20, width - len(indent)), break_long_words=False) or [""]
    head = f"{'':{MARGIN}}{line.what:{WHAT}}{line.state:{STATE}}{found[0]}".rstrip()
    rest = [indent + part for part in found[1:]]
    command = f"{indent}→ {line.mend}"
    if len(command) > width:
        command = f"{'':{MARGIN}}→ {line.mend}"
    return [head, *rest, *([command] if line.mend else [])]


def _host(facts: Facts) -> Iterator[Item]:
    machine = facts["machine"]
    yield Item("Python", "ok", f"{machine['python']} on {machine['os']}")
    cores, threads = units.count(machine["cores"], "core"), units.count(machine["threads"], "thread")
    yield Item("CPU", "ok", f"{machine['cpu']}, {cores}, {threads}")
    yield Item("vectors", "ok", f"{machine['vector']}, {machine['vector_bits']} bits: {_lanes(machine)} float32")
    caches = [f"{name.upper()} {units.nbytes(size)}" for name, size in machine["caches"].items() if size]
    yield Item("caches", "ok" if caches else "", ", ".join(caches) or "not known")
    free, total = (units.nbytes(machine[key]) for key in ("memory_available_bytes", "memory_bytes"))
    yield Item("memory", "ok", f"{free} free of {total}")
    yield _power(machine)
    if machine["load"]:
        yield Item("load", "", " ".join(f"{value:.2f}" for value in machine["load"]) + " (1, 5, 15 min)")


def _lanes(machine: Mapping[str, Any]) -> int:
    return int(machine["vector_bits"]) // 32


def _power(machine: Mapping[str, Any]) -> Item:
    said = ", ".join(part for part in (machine["power"], _governor(machine)) if part)
    if (machine["power"] or "").startswith("on battery"):
        return Item("power", "mismatch", f"{said}: clocks will be low and drift", "plug in the power supply")
    return Item("power", "ok" if said else "", said or "not known")


def _governor(machine: Mapping[str, Any]) -> str:
    return f"governor {machine['governor']}" if machine["governor"] else ""


def _libraries(facts: Facts) -> Iterator[Item]:
    worker = facts["worker"]
    reinstall = f"{facts['pip']} install --force-reinstall"
    if worker is None:
        trouble = facts["trouble"] or "it said nothing"
        yield Item("worker", "missing", f"no worker process could start: {trouble}", f"{reinstall} numba numpy")
        return
    libraries = worker["libraries"]
    yield Item("numba", "ok", f"{libraries['numba']} with llvmlite {libraries['llvmlite']}")
    yield Item("numpy", "ok", str(libraries["numpy"]))
    if libraries["blas"]:
        threads = worker["blas_threads"]
        yield Item("BLAS", "ok", libraries["blas"] + (f", {units.count(threads, 'thread')}" if threads else ""))
    else:
        yield Item("BLAS", "missing", "NumPy has no fast matrix product: × will flatter", f"{reinstall} numpy")
    layer = worker["threading_layer"]
    if layer == "workqueue":
        slow = "workqueue: a parallel launch costs some 80 µs; OpenMP's costs 2"
        yield Item("threading", "missing", slow, _openmp(facts))
    else:
        yield Item("threading", "ok", {"omp": "omp (OpenMP)"}.get(layer, layer))


def _peers(facts: Facts) -> Iterator[Item]:
    """Libraries that are only measured against."""
    if facts["torch"]:
        yield Item("PyTorch", "ok", f"{facts['torch']}, to measure against: --baseline best")
    else:
        yield Item("PyTorch", "", "optional: a library to measure against", f"{facts['pip']} install torch")


def _targets(facts: Facts) -> Iterator[Item]:
    """What installed packages offer to run variants on."""
    for target in facts["targets"]:
        found = f"a target of {target['package']}"
        why_not = target["why_not"]
        yield Item(target["name"], "missing" if why_not else "ok", f"{found}: {why_not}" if why_not else found)


def _openmp(facts: Facts) -> str:
    system = facts["machine"]["os"]
    if system.startswith("macOS"):
        return "brew install libomp"
    return "sudo apt install libgomp1" if "Linux" in system else ""


def _roofs(facts: Facts) -> Iterator[Item]:
    roofs = facts["roofs"]
    if roofs is None:
        yield Item("roofs", "missing", "not measured yet; doctor measures them where a worker runs")
        return
    names = {"copy": "copy", "copy_streaming": "streaming copy", "read": "read"}
    names |= {"fma_float32": "float32 fma", "fma_float64": "float64 fma"}
    for key, name in names.items():
        show = units.flop_rate if key.startswith("fma") else units.byte_rate
        rates = roofs[key]
        yield Item(f"{name}", "ok", f"{show(rates['one'])} one core, {show(rates['all'])} all")
    gpu = roofs.get("gpu")
    if gpu:
        rates = f"copy {units.byte_rate(gpu['copy'])}, float32 {units.flop_rate(gpu['fma_float32'])}"
        yield Item("GPU roofs", "ok", f"{rates}, float64 {units.flop_rate(gpu['fma_float64'])}")


def _cuda(facts: Facts) -> Iterator[Item]:
    cuda = facts["cuda"]
    yield from _gpu(cuda)
    yield from _wheels(cuda, facts["pip"])
    found = f"{cuda['ptxas']}" if cuda["ptxas"] else "optional: machine code of CUDA variants"
    yield Item("ptxas", "ok" if cuda["ptxas"] else "", found)


def _gpu(cuda: Facts) -> Iterator[Item]:
    for device in cuda["devices"]:
        yield Item("GPU", "ok", f"{device['name']}, {device['memory']}, capability {device['capability']}")
    if not cuda["hardware"] and not cuda["driver_cuda"]:
        none = "no NVIDIA GPU found" if cuda["possible"] else "CUDA does not exist for this system"
        yield Item("GPU", "missing", f"{none}; CUDA variants are only checked")
        return
    if not cuda["devices"]:
        yield Item("GPU", "ok", "an NVIDIA GPU is here")
    if not cuda["driver_cuda"]:
        yield Item("driver", "missing", "the GPU has no NVIDIA driver", "sudo ubuntu-drivers install  # then restart")
        return
    said = f"{cuda['driver'] or 'version not known'}, for CUDA up to {cuda['driver_cuda']}"
    if _major(cuda["driver_cuda"]) < OLDEST_DRIVER_CUDA:
        yield Item("driver", "mismatch", f"{said}: too old, 525 is the oldest", "sudo ubuntu-drivers install")
    else:
        yield Item("driver", "ok", said)


def _wheels(cuda: Facts, pip: str) -> Iterator[Item]:
    """numba-cuda and the CUDA libraries, which must not be newer than the driver's CUDA."""
    driver = _major(cuda["driver_cuda"])
    wanted = f'{pip} install "numba-cuda[cu{12 if driver == OLDEST_DRIVER_CUDA else 13}]"'
    usable = driver >= OLDEST_DRIVER_CUDA
    needed = wanted if usable else ""
    optional: State = "missing" if usable else ""
    purpose = "needed for this GPU" if usable else "only an NVIDIA GPU needs it"
    if cuda["numba_cuda"]:
        yield Item("numba-cuda", "ok", str(cuda["numba_cuda"]))
    else:
        yield Item("numba-cuda", optional, f"not installed; {purpose}", needed)
    toolkit = cuda["toolkit"]
    if not toolkit:
        yield Item("CUDA libraries", optional, f"not installed; {purpose}", needed if cuda["numba_cuda"] else "")
    elif usable and _major(toolkit) > driver:
        clash = f"{toolkit} are newer than the driver, which ends at CUDA {cuda['driver_cuda']}"
        yield Item("CUDA libraries", "mismatch", clash, wanted)
    else:
        yield Item("CUDA libraries", "ok", str(toolkit))


def _verdict(facts: Facts) -> str:
    cpu = "The CPU side works." if works(facts) else "The CPU side does not work: mend the worker first."
    why_not = facts["cuda"]["why_not"]
    return f"{cpu} {f'CUDA is not here: {why_not}' if why_not else 'CUDA works.'}"


def _major(version: str | None) -> int:
    return int(version.split(".")[0]) if version else 0
