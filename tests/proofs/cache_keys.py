"""For every GPU function that a kernel's CUDA variants launch, what Numba's disk cache tells it apart by, as JSON.

python tests/proofs/cache_keys.py

The cache looks a function up by its bytecode and by a hash of what it closes over (numba-cuda, ``_index_key``).
"""

import hashlib
import json
import sys

from cells import cuda_variants, loaded_kernel
from numba.cuda.serialize import dumps
from offline import hollow_arrays

from gpuplay.catalog.find import bundled_kernels
from gpuplay.machine.model import GpuModel, Machine
from gpuplay.targets.stand_ins.offline import OfflineGpu

SIZE = 256


def launched(loaded, variant):
    """The GPU functions of a variant with default knobs; none where it does not serve."""
    problem, knobs = loaded.kernel.problem(SIZE), variant.default_knobs
    if variant.applies and loaded.call(variant.applies, problem, knobs, Machine()):
        return []
    gpu = OfflineGpu(GpuModel())
    loaded.call(variant.build, problem, **knobs)(gpu, *hollow_arrays(loaded, variant, problem, knobs))
    return list(dict.fromkeys(launch.function for launch in gpu.launches))


def key(function):
    closed_over = tuple(cell.cell_contents for cell in function.py_func.__closure__ or ())
    return hashlib.sha256(function.py_func.__code__.co_code + dumps(closed_over)).hexdigest()


def keys():
    for origin in bundled_kernels():
        loaded = loaded_kernel(origin.name)
        for variant in cuda_variants(loaded):
            for function in launched(loaded, variant):
                yield f"{origin.name} {variant.name} {function.__name__}", key(function)


if __name__ == "__main__":
    json.dump(dict(keys()), sys.stdout)
