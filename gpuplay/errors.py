"""Every error that gpuplay raises on purpose, each with its exit code, and a help to their wording."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path


class GpuplayError(Exception):
    """An error with one message for the user: what was given, what is wrong, what to type instead."""

    exit_code = 1


class UsageError(GpuplayError):
    """The command line asks for something that does not exist or cannot be."""

    exit_code = 2


class KernelFileError(UsageError):
    """A kernel file cannot be loaded, or what it declares breaks the contract."""


class TargetMissing(GpuplayError):
    """A target that was asked for by name cannot run on this machine."""

    exit_code = 3


class WorkerLost(GpuplayError):
    """A worker process died or had to be killed while it held a task."""


class OutOfBounds(GpuplayError):
    """A function on the host that checks every index met one that its array does not have.

    ``array`` is its name in the source, '' where it has none; ``axis`` is -1 where it is not known.
    """

    def __init__(self, file: str, line: int, array: str, writes: int, axis: int, index: int, extent: int) -> None:
        super().__init__(file, line, array, writes, axis, index, extent)
        self.at = f"{Path(file).name}:{line}"
        self.access = f"{'writes' if writes else 'reads'} {array or 'an array'}"
        self.axis, self.index, self.extent = axis, index, extent

    def __str__(self) -> str:
        """What it did, where, and what mends it."""
        where = f"at index {self.index} of axis {self.axis}" if self.axis > 0 else f"at index {self.index}"
        has = "1 element" if self.extent == 1 else f"{self.extent} elements"
        return f"{self.access} {where}, where it has {has} ({self.at}); stay within 0 to {self.extent - 1}"


class DeadlinePassed(WorkerLost):
    """A worker was killed because a task took longer than it may."""


def closest(word: str, known: Iterable[object]) -> str:
    """The known name that a word may have been meant for; '' where none is near."""
    return next(iter(get_close_matches(word, [str(name) for name in known], n=1)), "")
