"""Occupancy: how many blocks of a GPU function one multiprocessor holds at once, what limits it, what raises it.

The rules are those of NVIDIA's occupancy calculator (``cuda_occupancy.h`` of the CUDA toolkit), the limits
those of a `GpuModel`; shared memory takes as much of its multiprocessor's cache as it may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from gpuplay.machine.model import GpuModel

Limiter: TypeAlias = Literal["warps", "blocks", "registers", "shared memory"]
Resource: TypeAlias = Literal["block", "registers", "shared memory"]

REGISTER_UNIT = 256  # registers are given out to warps in units of so many
PARTITIONS = 4  # of a multiprocessor, each with its share of the registers
MOST_REGISTERS = 255  # of a thread
FEWEST_REGISTERS = 16  # with fewer no limit is reached
SHARED_UNIT = 128  # bytes
SHARED_UNIT_BEFORE_8 = 256


@dataclass(frozen=True)
class Use:
    """What one block of a GPU function takes: threads, registers a thread, static and dynamic shared memory."""

    threads: int
    registers: int
    shared_bytes: int


@dataclass(frozen=True)
class Raise:
    """One change that would raise the occupancy: the resource, the nearest value that does, and what it leads to."""

    what: Resource
    value: int
    share: float


@dataclass(frozen=True)
class Occupancy:
    """Blocks and warps that one multiprocessor holds at once, and the resources that allow no more.

    ``share`` is of the warps that it could hold. No block fits where ``blocks`` is 0.
    """

    blocks: int
    warps: int
    share: float
    limiters: tuple[Limiter, ...]
    raises: tuple[Raise, ...] = ()


def occupancy(use: Use, model: GpuModel) -> Occupancy:
    """The occupancy of a GPU function, with the nearest values that would raise it."""
    found = _occupancy(use, model)
    return replace(found, raises=tuple(_raises(use, model, found)))


def _occupancy(use: Use, model: GpuModel) -> Occupancy:
    warps = -(-use.threads // model.warp_size)
    allowed: dict[Limiter, int] = {
        "warps": model.resident_warps // warps,
        "blocks": model.resident_blocks,
        "registers": _by_registers(use.registers, warps, model),
        "shared memory": _by_shared(use.shared_bytes, model),
    }
    blocks = min(allowed.values())
    limiters = tuple(name for name, count in allowed.items() if count == blocks)
    return Occupancy(blocks, blocks * warps, blocks * warps / model.resident_warps, limiters)


def _by_registers(registers: int, warps: int, model: GpuModel) -> int:
    """Blocks by registers: every warp takes whole units, and lies in one partition."""
    of_warp = _up(max(registers, 1) * model.warp_size, REGISTER_UNIT)
    if of_warp * _up(warps, PARTITIONS) > model.registers or registers > MOST_REGISTERS:
        return 0
    return model.registers // PARTITIONS // of_warp * PARTITIONS // warps


def _by_shared(shared_bytes: int, model: GpuModel) -> int:
    """Blocks by shared memory, what the system reserves in each included."""
    if shared_bytes > model.shared_bytes_opt_in:
        return 0
    taken = _up(shared_bytes + model.shared_bytes_reserved, _shared_unit(model))
    return model.shared_bytes // taken if taken else model.resident_blocks


def _raises(use: Use, model: GpuModel, found: Occupancy) -> Iterable[Raise]:
    """The nearest value of each resource that alone would raise the occupancy."""
    if found.warps == model.resident_warps:
        return
    blocks = sorted(
        range(model.warp_size, model.threads_per_block + 1, model.warp_size), key=lambda t: (abs(t - use.threads), -t)
    )
    tried: tuple[tuple[Resource, Iterable[int], Callable[[int], Use]], ...] = (
        ("registers", range(use.registers - 1, FEWEST_REGISTERS - 1, -1), lambda value: replace(use, registers=value)),
        ("shared memory", _shared_steps(use, model), lambda value: replace(use, shared_bytes=value)),
        ("block", blocks, lambda value: replace(use, threads=value)),
    )
    for what, values, changed in tried:
        better = ((value, _occupancy(changed(value), model)) for value in values)
        first = next(((value, new) for value, new in better if new.warps > found.warps), None)
        if first:
            yield Raise(what, first[0], first[1].share)


def _shared_unit(model: GpuModel) -> int:
    return SHARED_UNIT if model.capability >= (8, 0) else SHARED_UNIT_BEFORE_8


def _shared_steps(use: Use, model: GpuModel) -> list[int]:
    """The largest shared memory of a block with which so and so many blocks fit, below what it takes."""
    steps = []
    for blocks in range(1, model.resident_blocks + 1):
        most = model.shared_bytes // blocks // _shared_unit(model) * _shared_unit(model) - model.shared_bytes_reserved
        if 0 <= most < use.shared_bytes:
            steps.append(min(most, model.shared_bytes_opt_in))
    return steps


def _up(amount: int, unit: int) -> int:
    return -(-amount // unit) * unit
