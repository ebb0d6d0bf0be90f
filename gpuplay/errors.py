"""Every error that gpuplay raises on purpose, each with its exit code, and a help to their wording."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


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


class DeadlinePassed(WorkerLost):
    """A worker was killed because a task took longer than it may."""


def closest(word: str, known: Iterable[object]) -> str:
    """The known name that a word may have been meant for; '' where none is near."""
    return next(iter(get_close_matches(word, [str(name) for name in known], n=1)), "")
