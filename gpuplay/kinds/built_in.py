"""The targets that gpuplay brings, in the order in which messages name them."""

from __future__ import annotations

from gpuplay.kinds.kind import Kind

# PyTorch brings an OpenMP and a BLAS of its own: two of either in one process would share neither threads nor
# settings. What libraries set up on a GPU is no concern of our GPU functions.
PEERS, GPU_PEERS = "peers", "gpu-peers"

BUILT_IN = (
    Kind("python", "gpuplay.targets.host:PythonTarget", interpreted=True),
    Kind("numpy", "gpuplay.targets.host:NumpyTarget"),
    Kind("cpu", "gpuplay.targets.host:CpuTarget", compiler="numba"),
    Kind(
        "cuda",
        "gpuplay.targets.cuda.target:CudaTarget",
        "gpuplay.targets.presence:why_not",
        on_gpu=True,
        compiler="numba-cuda",
    ),
    Kind(
        "torch",
        "gpuplay.targets.libraries.torch:TorchTarget",
        "gpuplay.targets.presence:without_torch",
        worker=PEERS,
        libraries="gpuplay.measure.libraries:torch_names",
    ),
    Kind(
        "torch_gpu",
        "gpuplay.targets.libraries.torch_gpu:TorchGpuTarget",
        "gpuplay.targets.presence:without_torch_gpu",
        on_gpu=True,
        worker=GPU_PEERS,
        libraries="gpuplay.measure.libraries:torch_gpu_names",
    ),
    Kind(
        "cupy",
        "gpuplay.targets.libraries.cupy:CupyTarget",
        "gpuplay.targets.presence:without_cupy",
        on_gpu=True,
        worker=GPU_PEERS,
        libraries="gpuplay.measure.libraries:cupy_names",
        variables=(("CUPY_TF32", "0"),),
    ),
)
