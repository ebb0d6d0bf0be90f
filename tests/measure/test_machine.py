"""What machine this is: read from a made-up root, and from the real one."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from gpuplay.machine import cgroups, describe

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's own files")
x86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="reads the flags of x86 processors")

CPUINFO = """processor\t: 0
model name\t: Made-up   Processor 9000
flags\t\t: fpu sse sse2 avx avx2{more} fma

processor\t: 1
model name\t: Another
flags\t\t: fpu
"""


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def cache(cpu: int, index: int, level: int, kind: str, size: str, shared: str) -> dict[str, str]:
    folder = f"sys/devices/system/cpu/cpu{cpu}/cache/index{index}"
    parts = {"level": str(level), "type": kind, "size": size, "shared_cpu_list": shared}
    return {f"{folder}/{name}": text + "\n" for name, text in parts.items()}


def test_this_machine_is_described_in_full() -> None:
    said = describe.facts()
    assert said["cpu"]
    assert 1 <= said["cores"] <= said["threads"] <= (os.cpu_count() or 1)
    assert said["vector_bits"] in (128, 256, 512, 1024, 2048)
    assert 0 < said["memory_available_bytes"] <= said["memory_bytes"] <= psutil.virtual_memory().total
    assert said["python"] == platform.python_version()
    assert set(said["caches"]) == {"l1d", "l2", "l3"}


def test_limits_agree_with_the_description() -> None:
    said, limits = describe.facts(), describe.machine()
    assert (limits.cores, limits.vector_bits) == (said["cores"], said["vector_bits"])
    assert limits.l2_bytes == (said["caches"]["l2"] or limits.l2_bytes)


@linux
@x86
@pytest.mark.parametrize(
    ("more", "vector"), [("", ("AVX2", 256)), (" avx512f avx512vl", ("AVX-512", 512))], ids=["avx2", "avx512"]
)
def test_the_first_processor_tells_model_and_vectors(tmp_path: Path, more: str, vector: tuple[str, int]) -> None:
    said = describe.facts(write(tmp_path, {"proc/cpuinfo": CPUINFO.format(more=more)}))
    assert said["cpu"] == "Made-up Processor 9000"
    assert (said["vector"], said["vector_bits"]) == vector


@linux
def test_caches_are_those_of_one_instance(tmp_path: Path) -> None:
    cpu = min(os.sched_getaffinity(0))
    files = cache(cpu, 0, 1, "Data", "48K", str(cpu)) | cache(cpu, 1, 1, "Instruction", "32K", str(cpu))
    files |= cache(cpu, 2, 2, "Unified", "2048K", str(cpu)) | cache(cpu, 3, 3, "Unified", "36M", "0-15")
    root = write(tmp_path, files)
    assert describe.facts(root)["caches"] == {"l1d": 48 * 2**10, "l2": 2 * 2**20, "l3": 36 * 2**20}
    assert describe.last_cache_bytes(root) == 36 * 2**20


@linux
def test_all_last_caches_within_reach_are_counted(tmp_path: Path) -> None:
    allowed = sorted(os.sched_getaffinity(0))
    files: dict[str, str] = {}
    for cpu in allowed:
        files |= cache(cpu, 3, 3, "Unified", "32M", str(cpu))
    assert describe.last_cache_bytes(write(tmp_path, files)) == len(allowed) * 32 * 2**20


@linux
def test_hardware_threads_of_one_core_count_once(tmp_path: Path) -> None:
    files = {}
    for cpu in os.sched_getaffinity(0):
        topology = f"sys/devices/system/cpu/cpu{cpu}/topology"
        files |= {f"{topology}/physical_package_id": "0\n", f"{topology}/core_id": "5\n"}
    said = describe.facts(write(tmp_path, files))
    assert (said["cores"], said["threads"]) == (1, len(os.sched_getaffinity(0)))


@linux
def test_a_quota_of_processor_time_limits_cores_and_threads(tmp_path: Path) -> None:
    files = {"proc/self/cgroup": "0::/box/inner\n", "sys/fs/cgroup/box/cpu.max": "100000 100000\n"}
    files |= {"sys/fs/cgroup/box/inner/cpu.max": "max 100000\n"}
    said = describe.facts(write(tmp_path, files))
    assert (said["cores"], said["threads"]) == (1, 1)


@linux
def test_nothing_known_leaves_nothing_invented(tmp_path: Path) -> None:
    said = describe.facts(tmp_path)
    assert said["caches"] == {"l1d": None, "l2": None, "l3": None}
    assert said["governor"] is None
    assert said["cpu"] == platform.machine()


VERSION_2 = {
    "proc/self/cgroup": "0::/box/inner\n",
    "sys/fs/cgroup/box/memory.max": "4000000\n",
    "sys/fs/cgroup/box/memory.current": "3000000\n",
    "sys/fs/cgroup/box/memory.stat": "anon 5\ninactive_file 500000\n",
    "sys/fs/cgroup/box/inner/memory.max": "max\n",
    "sys/fs/cgroup/box/inner/cpu.max": "150000 100000\n",
    "sys/fs/cgroup/box/cpu.max": "max 100000\n",
}
VERSION_1 = {
    "proc/self/cgroup": "5:cpu,cpuacct:/box\n4:memory:/not/mounted/here\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "4000000\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": "3000000\n",
    "sys/fs/cgroup/memory/memory.stat": "cache 7\ntotal_inactive_file 500000\n",
    "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us": "150000\n",
    "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us": "100000\n",
}
FREE = {
    "proc/self/cgroup": "4:memory:/\n3:cpu:/\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
    "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
}


@pytest.mark.parametrize("files", [VERSION_2, VERSION_1], ids=["version-2", "version-1"])
def test_the_tightest_control_group_counts(tmp_path: Path, files: dict[str, str]) -> None:
    root = write(tmp_path, files)
    assert cgroups.memory_limit(root) == 4_000_000
    assert cgroups.memory_free(root) == 1_500_000
    assert cgroups.cpu_quota(root) == 1.5


@pytest.mark.parametrize("files", [FREE, {}], ids=["no-limit", "no-groups"])
def test_no_control_group_is_no_limit(tmp_path: Path, files: dict[str, str]) -> None:
    root = write(tmp_path, files)
    assert (cgroups.memory_limit(root), cgroups.memory_free(root), cgroups.cpu_quota(root)) == (None, None, None)


def test_the_fingerprint_follows_the_hardware_alone() -> None:
    said = describe.facts()
    later = said | {"memory_available_bytes": 1, "load": [9.0, 9.0, 9.0], "python": "3.99", "power": "on battery"}
    assert describe.fingerprint(said) == describe.fingerprint(later)
    assert describe.fingerprint(said) != describe.fingerprint(said | {"cpu": "another"})
    assert describe.fingerprint(said) != describe.fingerprint(said | {"cores": said["cores"] + 1})
    assert re.fullmatch(r"[0-9a-f]+", describe.fingerprint(said))


def test_a_worker_tells_its_libraries(tmp_path: Path) -> None:
    code = "from gpuplay.measure import libraries; import json; print(json.dumps(libraries.worker_facts()))"
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)

    facts = json.loads(done.stdout)
    assert {"numba", "llvmlite", "numpy", "blas", "numba-cuda"} == set(facts["libraries"])
    assert facts["threading_layer"] in ("omp", "tbb", "workqueue")
    assert facts["blas_threads"] is None or facts["blas_threads"] >= 1
