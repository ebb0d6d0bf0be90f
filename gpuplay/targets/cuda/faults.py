"""Errors of the CUDA driver in words: faults that end a process, and launches that ask for too much."""

from __future__ import annotations

from typing import Any

from gpuplay.errors import GpuplayError, WorkerLost

DEVICE_FAULTS = {
    "ILLEGAL_ADDRESS": "a GPU function read or wrote outside its arrays",
    "MISALIGNED_ADDRESS": "a GPU function read or wrote an address that is not aligned to the access's width",
    "LAUNCH_TIMEOUT": "a GPU function ran longer than the display's watchdog allows",
    "LAUNCH_FAILED": "a GPU function failed on the device",
    "ASSERT": "a GPU function failed an assertion",
    "ILLEGAL_INSTRUCTION": "a GPU function ran an instruction that this GPU does not have",
    "HARDWARE_STACK_ERROR": "a GPU function corrupted or overflowed its stack",
}


class DeviceFaultError(WorkerLost):
    """An error that the device cannot recover from: this process must end before CUDA works again."""


def name_register_limit(function: Any, block: object, error: Exception) -> None:
    """GpuplayError with the threads that there may be, where a block's registers are more than there are."""
    if "OUT_OF_RESOURCES" not in str(error):
        return
    most = min(function.get_max_threads_per_block().values(), default=0)
    registers = max(function.get_regs_per_thread().values(), default=0)
    raise GpuplayError(
        f"{function.__name__}: a block of {block} needs more registers than there are; "
        f"with {registers} registers a thread a block has at most {most} threads"
    ) from error


def name_fault(error: Exception) -> None:
    """DeviceFaultError, in words, for an error that the device does not recover from."""
    text = str(error)
    for code, meaning in DEVICE_FAULTS.items():
        if f"CUDA_ERROR_{code}" in text:
            raise DeviceFaultError(f"{meaning} (CUDA_ERROR_{code})") from error
