#!/usr/bin/env bash
# The PTX of a float16 kernel is not the program that runs.
#
# Expected: `compile_ptx` of `a * b + a` in float16 shows float16 arithmetic, and ptxas can count its registers.
# Happens: the PTX passes operands through local memory to external C++ operators and holds no float16 arithmetic; ptxas
#   refuses it as unresolved. Compiled as LTO-IR and linked, the same kernel is one HFMA2 without any local memory.
# Matters: whoever reads registers, spills or instruction counts from PTX gets nothing, or a picture of calls and
#   local traffic that no GPU executes. Count in the linked code.
# Versions: numba-cuda 0.30.4, numba 0.68.1, CUDA 13.5.37 (libNVVM, nvJitLink, ptxas, nvdisasm), cuda-core 1.2.2.
#   Needs Python 3.11 or newer, x86-64 Linux, no GPU.
#
# Seen (sm_90):
#   PTX: float16 arithmetic 0, local accesses 8, calls _ZmlRK6__halfS1__nbst _ZplRK6__halfS1__nbst
#   ptxas fatal   : Unresolved extern function '_ZmlRK6__halfS1__nbst'
#   linked from LTO-IR: HFMA2
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
unset "${!NUMBA_@}"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  'numba-cuda[cu13]==0.30.4' numba==0.68.1 numpy==2.4.6 cuda-core==1.2.2 nvidia-nvvm==13.5.37 \
  nvidia-nvjitlink==13.5.37 nvidia-cuda-nvrtc==13.5.37 nvidia-cuda-nvcc==13.5.37 nvidia-cuda-nvdisasm==13.5.37

venv/bin/python - <<'PY'
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from cuda.core import Linker, LinkerOptions, ObjectCode
from numba import cuda, types


def multiply_add(a, b, out):
    i = cuda.grid(1)
    if i < out.size:
        out[i] = a[i] * b[i] + a[i]


def tool(name, *arguments):
    """Output and errors of one of the compiler's programs from the wheels."""
    program = next(Path(sys.prefix).glob(f"lib/python*/site-packages/nvidia/*/bin/{name}"))
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    return done.stdout + done.stderr


signature = (types.float16[::1],) * 3
print("numba-cuda", version("numba-cuda"), "ptxas", version("nvidia-cuda-nvcc"))

ptx, _ = cuda.compile_ptx(multiply_add, signature, cc=(9, 0))
Path("kernel.ptx").write_text(ptx)
calls = re.findall(r"call\.uni[^;]*?(\w*__half\w*),[^;]*;", ptx)
local = re.findall(r"^\s+(?:ld|st)\.local\S*", ptx, re.MULTILINE)
arithmetic = re.findall(r"^\s+(?:fma|mul|add)\S*\.f16", ptx, re.MULTILINE)
refusal = tool("ptxas", "-arch=sm_90", "kernel.ptx", "-o", "kernel.cubin").strip()
print(f"PTX: float16 arithmetic {len(arithmetic)}, local accesses {len(local)}, calls {' '.join(calls)}")
print(refusal)

parts, _ = cuda.compile_all(multiply_add, signature, device=False, abi="numba", cc=(9, 0), output="ltoir")
objects = [ObjectCode.from_ltoir(part) if isinstance(part, bytes) else part for part in parts]
linker = Linker(*objects, options=LinkerOptions(arch="sm_90", link_time_optimization=True))
Path("linked.cubin").write_bytes(linker.link("cubin").code)
linked = re.findall(r"\b(HFMA2|HMUL2|HADD2|LDL|STL|CALL)\b", tool("nvdisasm", "linked.cubin"))
print("linked from LTO-IR:", " ".join(linked))

if arithmetic or not local or len(calls) != 2 or "Unresolved extern function" not in refusal:
    sys.exit("No longer so: the PTX of a float16 kernel has changed.")
if not linked or not {"LDL", "STL", "CALL"}.isdisjoint(linked):
    sys.exit("No longer so: the linked float16 kernel is not plain arithmetic.")
PY
