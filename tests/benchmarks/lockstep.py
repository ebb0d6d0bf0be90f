"""How fast the lockstep machine is, and how much memory it takes: all checks and counters on.

    python tests/benchmarks/lockstep.py

The bundled cuda:tiled of matmul, 16×16 threads a block, at 64×64 on the machine and on Numba's simulator in
the same run, each in a process of its own, once more with a thread switch interval that suits the simulator;
then 512×512 and a large elementwise grid on the machine alone.
Wall-clock times of the tools themselves: they say nothing about a GPU.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

TILE = 16
SMALL, LARGE = 64, 512
BLOCKS, THREADS = 4096, 1024
WARM_CALLS = {"lockstep": 20, "simulator": 3, "helped": 3, "large": 3, "grid": 3}
SIMULATED = ("simulator", "helped")
GOALS = {"ratio": 400, "large_s": 5.0, "mebibytes": 512}
SWITCH_S = 1e-4  # the simulator polls its threads: at Python's 5 ms it starves those that have work


def product(n, target):
    """A call of the tiled product at n×n, which makes a new machine each time, and the check of its result."""
    import numpy as np

    from gpuplay.catalog.find import find_kernel
    from gpuplay.catalog.load import load_kernel

    loaded = load_kernel(find_kernel("matmul"))
    variant = next(v for v in loaded.kernel.variants if v.name == "cuda:tiled")
    problem = loaded.kernel.problem(n, dtype="float32")
    rng = np.random.default_rng(n)
    a, b = (rng.integers(-4, 5, (n, n)).astype(np.float32) for _ in range(2))
    c = np.empty((n, n), np.float32)
    if target == "simulator":
        sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "proofs"))
        from simulated_gpu import SimulatorTarget

        call = SimulatorTarget().bind(loaded.call(variant.build, problem, tile=TILE), [c, a, b])
    else:
        from gpuplay.lockstep.machine import LockstepMachine

        run = loaded.call(variant.build, problem, tile=TILE)

        def call():
            run(LockstepMachine(), c, a, b)

    return call, lambda: np.array_equal(c, a @ b)


def elementwise():
    """A call of y = 2·x + 1 by one thread an element on the large grid, and the check of its result."""
    import numpy as np
    from numba import cuda

    from gpuplay.lockstep.machine import LockstepMachine

    @cuda.jit
    def scale(y, x):
        i = cuda.grid(1)
        if i < y.size:
            y[i] = np.float32(2) * x[i] + np.float32(1)

    x = np.arange(BLOCKS * THREADS, dtype=np.float32)
    y = np.empty_like(x)
    return lambda: LockstepMachine().launch(scale, BLOCKS, THREADS, y, x), lambda: np.array_equal(y, 2 * x + 1)


def peak_mebibytes():
    """The most memory that this process has held (VmHWM), in MiB; nan where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text("utf-8")
    except OSError:
        return float("nan")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def measured(part):
    """First call, warm calls in seconds, peak memory of one part, in this process; the result must be right."""
    target = "simulator" if part in SIMULATED else "lockstep"
    if part == "helped":
        sys.setswitchinterval(SWITCH_S)
    call, right = elementwise() if part == "grid" else product(LARGE if part == "large" else SMALL, target)
    before = peak_mebibytes()
    seconds = []
    for _ in range(WARM_CALLS[part] + 1):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    if not right():
        raise SystemExit(f"{part}: the result is wrong")
    return {"first": seconds[0], "warm": seconds[1:], "before": before, "peak": peak_mebibytes()}


def in_own_process(part):
    """The same, in a process that has done nothing else; Numba simulates CUDA in the simulator's."""
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_ENABLE_CUDASIM"}
    if part in SIMULATED:
        environment["NUMBA_ENABLE_CUDASIM"] = "1"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, part], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)


def line(label, part):
    """One part as a line: first call, median and range of the warm calls, memory."""
    warm = part["warm"]
    spread = f"{min(warm):9.4f} … {max(warm):9.4f}"
    memory = f"{part['peak']:6.0f} MiB ({part['before']:.0f} before)"
    print(f"{label:34} {part['first']:8.3f} {statistics.median(warm):9.4f}  {spread}  {memory}", flush=True)


def verdict(label, value, goal, *, reached):
    print(f"{label:34} {value:>8}   goal {goal:<10} {'reached' if reached else 'MISSED'}")


def main():
    print(f"{'seconds':34} {'first':>8} {'median':>9}  {'warm calls':^21}  memory at the most")
    labels = {
        "lockstep": f"lockstep, matmul {SMALL}×{SMALL}",
        "simulator": f"simulator, matmul {SMALL}×{SMALL}",
        "helped": "  with a short switch interval",
        "large": f"lockstep, matmul {LARGE}×{LARGE}",
        "grid": f"lockstep, {BLOCKS} blocks of {THREADS}",
    }
    parts = {}
    for name, label in labels.items():
        parts[name] = in_own_process(name)
        line(label, parts[name])
    medians = {name: statistics.median(part["warm"]) for name, part in parts.items()}
    ratio = medians["simulator"] / medians["lockstep"]
    helped = medians["helped"] / medians["lockstep"]
    peak = max(part["peak"] for name, part in parts.items() if name not in SIMULATED)
    print()
    verdict("simulator over lockstep", f"{ratio:.0f} ×", f"≥ {GOALS['ratio']} ×", reached=ratio >= GOALS["ratio"])
    print(f"{'  with a short switch interval':34} {helped:>6.0f} ×")
    large, most = medians["large"], GOALS["large_s"]
    verdict(f"matmul {LARGE}×{LARGE}", f"{large:.2f} s", f"< {most:.0f} s", reached=large < most)
    limit = GOALS["mebibytes"]
    verdict("memory at the most", f"{peak:.0f} MiB", f"< {limit} MiB", reached=peak < limit)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measured(sys.argv[1])))
    else:
        main()
