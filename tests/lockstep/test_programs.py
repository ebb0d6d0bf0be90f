"""Programs in ordinary Numba CUDA style give on the lockstep machine what NumPy gives, and no check fires."""

import numpy as np
import pytest
from programs import atomics, copies, images, language, matrices, memory, reductions, register_tiles, sorting, warps

from gpuplay.lockstep.machine import LockstepMachine

SIZES = (1, 2, 7, 31, 33, 127, 129, 1000)
MODULES = (reductions, images, matrices, sorting, warps, atomics, language, memory, register_tiles, copies)
PROGRAMS = [program for module in MODULES for program in module.PROGRAMS]
TOLERANCE = {np.dtype(np.float32): 2e-5, np.dtype(np.float64): 1e-12}


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_program_gives_what_numpy_gives(program, n):
    machine = LockstepMachine()
    checked = 0
    for got, expected in program(machine.launch, n, np.random.default_rng(n)):
        checked += got.size
        assert got.dtype == expected.dtype
        tolerance = TOLERANCE.get(got.dtype, 0)
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)
    assert checked
    assert machine.report.faults == ()
