"""The workers of one command, a process for each environment, started when they are first needed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Self

from gpuplay import paths
from gpuplay.catalog.fingerprint import source_hash
from gpuplay.catalog.origin import Origin
from gpuplay.errors import DeadlinePassed, KernelFileError, WorkerLost
from gpuplay.kernel import Kernel, Variant
from gpuplay.kinds import kind, known
from gpuplay.plan.settings import Settings
from gpuplay.workers.process import Process
from gpuplay.workers.tasks import Tasks

ORDINARY, SISD, BOUNDS, TURNS = kind.ORDINARY, "sisd", "bounds", "turns"
KEPT_CACHES = 6
IMPORT_LIMIT_S = 15.0
VECTORISERS = ("NUMBA_LOOP_VECTORIZE", "NUMBA_SLP_VECTORIZE")
VECTOR_BITS = "GPUPLAY_VECTOR_BITS"  # what `gpuplay.intrinsics.host.width` reads: 0 for vectors of one lane


def environment_of(variant: Variant) -> str:
    """Which environment a variant is compiled and run in: its target's; Numba's SISD code needs the vectorisers off."""
    return SISD if variant.flynn == "SISD" and variant.kind.compiler == "numba" else variant.kind.worker


def variables(environment: str, cache: Path, threads: int) -> dict[str, str]:
    """The environment variables of a worker, which Numba reads when it is imported.

    Its disk cache knows neither these variables nor changes in other files than a function's own,
    so every environment has a folder of its own in ``cache``, which is of one state of the sources.
    """
    vectorise = "0" if environment == SISD else "1"
    bits = "0" if environment == SISD else os.environ.get(VECTOR_BITS, "")
    return {
        **dict.fromkeys(VECTORISERS, vectorise),
        **({VECTOR_BITS: bits} if bits else {}),
        "NUMBA_CACHE_DIR": str(cache / f"{environment}{bits}"),
        "NUMBA_NUM_THREADS": str(threads),
        "NUMBA_THREADING_LAYER_PRIORITY": "omp tbb workqueue",
        "NUMBA_CUDA_USE_NVIDIA_BINDING": "1",
        **({"NUMBA_DISABLE_JIT": "1"} if environment == TURNS else {}),
        **known.variables(environment),
    }


class Crew:
    """Workers by environment. A worker that died is replaced at its next use; its generation rises."""

    def __init__(self, origin: Origin, *, threads: int, extra: Mapping[str, str] | None = None) -> None:
        self.origin = origin
        self._threads = threads
        self._extra = dict(extra or {})
        self._settings: Settings | None = None
        self._members: dict[str, Process] = {}
        self._generations: dict[str, int] = {}

    @cached_property
    def source(self) -> str:
        """A hash of every source that can change what the kernel computes: read when a worker is first needed."""
        return source_hash(self.origin)

    def declaration(self, timeout_s: float = IMPORT_LIMIT_S) -> Kernel:
        """The kernel as plain data, loaded in a worker: importing a user's file may loop, exit or crash."""
        try:
            return self._start(ORDINARY, timeout_s)
        except DeadlinePassed:
            raise KernelFileError(
                f"{self.origin.name}: still importing after {timeout_s:g} s; a kernel file must only declare"
            ) from None
        except WorkerLost as error:
            raise KernelFileError(f"{self.origin.name}: {error} while it was imported") from None

    def allow_threads(self, threads: int) -> None:
        """Let variants use this many threads: Numba fixes the largest number when it is imported."""
        if threads > self._threads:
            self._threads = threads
            self.close()

    def use(self, settings: Settings) -> None:
        """Measure with these settings in every worker from now on."""
        self._settings = settings
        for member in self._members.values():
            member.tasks().open(settings)

    def tasks(self, environment: str, timeout_s: float | None = None) -> Tasks:
        """What the worker of an environment can be asked: see `gpuplay.workers.process.Process.tasks`."""
        return self.member(environment).tasks(timeout_s)

    def member(self, environment: str) -> Process:
        """The living worker of an environment, with the kernel loaded."""
        if environment not in self._members or not self._members[environment].alive:
            self._start(environment)
        return self._members[environment]

    def dismiss(self, environment: str) -> None:
        """End a worker; the next use of its environment starts another."""
        if environment in self._members:
            self._members[environment].kill()

    def generation(self, environment: str) -> int:
        """How many workers this environment has had; what a worker held is lost when it rises."""
        self.member(environment)
        return self._generations[environment]

    @property
    def started(self) -> tuple[str, ...]:
        """Environments whose worker is alive."""
        return tuple(name for name, member in self._members.items() if member.alive)

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of all living workers."""
        return tuple(member.pid for member in self._members.values() if member.alive)

    def log_tail(self, environment: str) -> str:
        """The end of what a worker printed."""
        return self._members[environment].log_tail() if environment in self._members else ""

    def close(self) -> None:
        """End all workers."""
        for member in self._members.values():
            member.close()
        self._members.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, environment: str, timeout_s: float = 60.0) -> Kernel:
        if environment in self._members:
            self._members[environment].close()
        settings = variables(environment, cache_folder(self.origin, self.source), self._threads) | self._extra
        member = self._members[environment] = Process(settings)
        if environment == BOUNDS:
            member.tasks(timeout_s).check_bounds()
        elif environment == TURNS:
            member.tasks(timeout_s).take_turns()
        self._generations[environment] = self._generations.get(environment, 0) + 1
        kernel = member.tasks(timeout_s).load(self.origin)
        if self._settings is not None:
            member.tasks().open(self._settings)
        return kernel


def cache_folder(origin: Origin, source: str) -> Path:
    """The folder of compiled code for this state of the sources; the oldest ones make room.

    A user's file is in another state each time that it is saved, which must not cost the bundled kernels theirs.
    """
    return paths.kept_folder("numba" if origin.kind == "bundled" else "numba-own", source, KEPT_CACHES)
