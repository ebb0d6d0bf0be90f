"""The doctor's table, to the letter, from made-up facts; and that the real facts fit it."""

from __future__ import annotations

from typing import Any

import pytest

from gpuplay.commands.steps import diagnosis
from gpuplay.views import doctor

MACHINE = {
    "cpu": "AMD EPYC",
    "cores": 2,
    "threads": 4,
    "vector": "AVX-512",
    "vector_bits": 512,
    "caches": {"l1d": 32768, "l2": 2**20, "l3": 2**25},
    "memory_bytes": 24 * 2**30,
    "memory_available_bytes": 20 * 2**30,
    "os": "Debian GNU/Linux 12, Linux 6.1",
    "python": "3.11.7",
    "governor": "performance",
    "power": None,
    "load": [0.5, 0.25, 0.0],
}
WORKER = {
    "libraries": {
        "numba": "0.68.1",
        "llvmlite": "0.50.0",
        "numpy": "2.4.6",
        "blas": "OpenBLAS 0.3.31",
        "numba-cuda": None,
    },
    "threading_layer": "omp",
    "blas_threads": 2,
}
ROOFS = {
    "copy": {"one": 25e9, "all": 40e9},
    "copy_streaming": {"one": 42e9, "all": 60e9},
    "read": {"one": 30e9, "all": 50e9},
    "fma_float32": {"one": 114e9, "all": 228e9},
    "fma_float64": {"one": 57e9, "all": 114e9},
    "gpu": None,
}
NO_CUDA = {
    "possible": True,
    "hardware": False,
    "devices": [],
    "driver": None,
    "driver_cuda": None,
    "numba_cuda": None,
    "toolkit": None,
    "ptxas": None,
    "why_not": "no NVIDIA driver here",
}
GPU = {"name": "NVIDIA RTX 3060", "driver": "550.54.14", "memory": "12288 MiB", "capability": "8.6"}
CUDA = NO_CUDA | {
    "hardware": True,
    "devices": [GPU],
    "driver": "550.54.14",
    "driver_cuda": "12.4",
    "numba_cuda": "0.30.4",
    "toolkit": "12.9.1",
    "why_not": "",
}

WITHOUT_GPU = """\
gpuplay 0.1.0

  Python          ok        3.11.7 on Debian GNU/Linux 12, Linux 6.1
  CPU             ok        AMD EPYC, 2 cores, 4 threads
  vectors         ok        AVX-512, 512 bits: 16 float32
  caches          ok        L1D 32 KiB, L2 1 MiB, L3 32 MiB
  memory          ok        20 GiB free of 24 GiB
  power           ok        governor performance
  load                      0.50 0.25 0.00 (1, 5, 15 min)
  numba           ok        0.68.1 with llvmlite 0.50.0
  numpy           ok        2.4.6
  BLAS            ok        OpenBLAS 0.3.31, 2 threads
  threading       ok        omp (OpenMP)
  PyTorch         ok        2.13.0, to measure against: --baseline best
  copy            ok        25.0 GB/s one core, 40.0 GB/s all
  streaming copy  ok        42.0 GB/s one core, 60.0 GB/s all
  read            ok        30.0 GB/s one core, 50.0 GB/s all
  float32 fma     ok        114 GFLOP/s one core, 228 GFLOP/s all
  float64 fma     ok        57.0 GFLOP/s one core, 114 GFLOP/s all
  GPU             missing   no NVIDIA GPU found; CUDA variants are only checked
  numba-cuda                not installed; only an NVIDIA GPU needs it
  CUDA libraries            not installed; only an NVIDIA GPU needs it
  ptxas                     optional: machine code of CUDA variants

The CPU side works. CUDA is not here: no NVIDIA driver here
"""


def facts(**changes: Any) -> dict[str, Any]:
    whole = {"gpuplay": "0.1.0", "machine": MACHINE, "worker": WORKER, "trouble": "", "roofs": ROOFS}
    return whole | {"torch": "2.13.0", "targets": [], "cuda": NO_CUDA, "pip": "python -m pip"} | changes


def line(what: str, **changes: Any) -> doctor.Item:
    return next(found for found in doctor.lines(facts(**changes)) if found.what == what)


def test_a_machine_without_gpu_is_told_to_the_letter() -> None:
    assert doctor.table(facts()) == WITHOUT_GPU
    assert doctor.works(facts())


@pytest.mark.parametrize("width", [60, 80, 160])
def test_only_commands_are_wider_than_asked(width: int) -> None:
    shown = doctor.table(facts(worker=None, trouble="numba cannot be imported: " + "no such file " * 9), width)
    assert all(len(row) <= width or "→" in row for row in shown.splitlines())
    assert "\x1b" not in shown


def test_a_machine_without_worker_does_not_work_and_says_why() -> None:
    broken = facts(worker=None, trouble="numba cannot be imported", roofs=None)
    assert not doctor.works(broken)
    found = line("worker", worker=None, trouble="numba cannot be imported")
    assert found.state == "missing"
    assert "numba cannot be imported" in found.found
    assert found.mend == "python -m pip install --force-reinstall numba numpy"
    assert "The CPU side does not work" in doctor.table(broken)


def test_a_gpu_with_all_it_needs_is_ok() -> None:
    states = {found.what: found.state for found in doctor.lines(facts(cuda=CUDA))}
    assert {states[name] for name in ("GPU", "driver", "numba-cuda", "CUDA libraries")} == {"ok"}
    assert "NVIDIA RTX 3060, 12288 MiB, capability 8.6" in doctor.table(facts(cuda=CUDA))
    assert doctor.table(facts(cuda=CUDA)).endswith("The CPU side works. CUDA works.\n")


def test_libraries_newer_than_the_driver_are_a_mismatch_with_the_command_that_mends_it() -> None:
    found = line("CUDA libraries", cuda=CUDA | {"toolkit": "13.4.92", "why_not": "too new"})
    assert (found.state, found.mend) == ("mismatch", 'python -m pip install "numba-cuda[cu12]"')
    assert "12.4" in found.found
    assert line("CUDA libraries", cuda=CUDA | {"driver_cuda": "13.0"}).state == "ok"


@pytest.mark.parametrize(("driver_cuda", "extra"), [("12.4", "cu12"), ("13.0", "cu13"), ("14.1", "cu13")])
def test_a_gpu_without_numba_cuda_gets_the_libraries_that_fit_its_driver(driver_cuda: str, extra: str) -> None:
    found = line("numba-cuda", cuda=CUDA | {"numba_cuda": None, "toolkit": None, "driver_cuda": driver_cuda})
    assert (found.state, found.mend) == ("missing", f'python -m pip install "numba-cuda[{extra}]"')


def test_a_gpu_without_driver_misses_the_driver() -> None:
    found = line("driver", cuda=NO_CUDA | {"hardware": True})
    assert found.state == "missing"
    assert found.mend


def test_a_driver_too_old_for_any_libraries_is_a_mismatch() -> None:
    assert line("driver", cuda=CUDA | {"driver_cuda": "11.4"}).state == "mismatch"


def test_a_slow_threading_layer_is_mended_by_openmp() -> None:
    slow = line("threading", worker=WORKER | {"threading_layer": "workqueue"})
    assert (slow.state, slow.mend) == ("missing", "sudo apt install libgomp1")


def test_pytorch_is_optional_and_its_absence_is_mended_by_pip() -> None:
    missing = line("PyTorch", torch="")
    assert (missing.state, missing.mend) == ("", "python -m pip install torch")
    assert doctor.works(facts(torch=""))


def test_battery_power_is_a_mismatch() -> None:
    assert line("power", machine=MACHINE | {"power": "on battery, charged 60 %"}).state == "mismatch"
    assert line("power", machine=MACHINE | {"power": "on mains, charged 60 %"}).state == "ok"


def test_roofs_of_a_gpu_are_shown_where_they_are_known() -> None:
    gpu = {"name": "a GPU", "copy": 4.3e12, "fma_float32": 5e13, "fma_float64": 2.5e13}
    found = line("GPU roofs", roofs=ROOFS | {"gpu": gpu})
    assert found.found == "copy 4.30 TB/s, float32 50.0 TFLOP/s, float64 25.0 TFLOP/s"


def test_what_is_collected_here_fits_the_table() -> None:
    collected = diagnosis.collect(WORKER, ROOFS)
    assert doctor.works(collected)
    assert doctor.table(collected).startswith(f"gpuplay {collected['gpuplay']}\n")
