"""A page of ``code`` over listings written by hand."""

from __future__ import annotations

from collections.abc import Callable

import scripted

from gpuplay.analysis.machine_code import host_code, sass
from gpuplay.analysis.machine_code.inspection import GpuRow, HostRow
from gpuplay.analysis.machine_code.occupancy import Use, occupancy
from gpuplay.machine.model import model_of
from gpuplay.results.cell import Cell
from gpuplay.results.compiled import Compiled, GpuFunction, HostFunction, Resources, SourceFile
from gpuplay.views.code import resources
from gpuplay.views.code.data import CodeDocument

SASS = """
        //## File "/k/tiles.py", line 3
.text.multiply:
        /*0000*/                   LDC R1, c[0x0][0x28] ;
        /*0010*/               @P0 EXIT ;
        //## File "/k/tiles.py", line 4
.L_x_1:
        /*0020*/                   LDG.E R2, desc[UR4][R6.64] ;
.L_x_2:
        /*0030*/                   STS [R0], R2 ;
        /*0040*/                   IADD3 R0, R0, 0x4, RZ ;
        /*0050*/                   ISETP.NE.AND P1, PT, R0, R3, PT ;
        /*0060*/               @P1 BRA `(.L_x_2) ;
        /*0070*/                   BAR.SYNC.DEFER_BLOCKING 0x0 ;
        //## File "/k/tiles.py", line 5
        /*0080*/                   LDS.128 R8, [R5] ;
        /*0090*/               @P2 BRA `(.L_x_4) ;
.L_x_3:
        /*00a0*/                   FFMA R20, R8, R9, R20 ;
        /*00b0*/                   FFMA R21, R8, R10, R21 ;
        /*00c0*/                   BRA.U UP0, `(.L_x_1) ;
        /*00d0*/                   STG.E.128 desc[UR4][R6.64], R20 ;
        /*00e0*/                   EXIT ;
.L_x_4:
        /*00f0*/                   MUFU.RCP R8, R8 ;
        /*0100*/                   BRA `(.L_x_3) ;
.L_x_5:
        /*0110*/                   BRA `(.L_x_5);
        /*0120*/                   NOP;
"""
X86 = """
run:
        vbroadcastss    (%r11), %zmm0
.LBB0_2:
        vmovups         (%rsi,%rax,4), %zmm1
        vfmadd231ps     %zmm0, %zmm1, %zmm2 # a remark
        vaddps          %zmm1, %zmm2, %zmm3
        addq            $16, %rax
        cmpq            %rdx, %rax
        jl      .LBB0_2
.LBB0_3:
        vmulss          %xmm1, %xmm2, %xmm3
        vmulss          %xmm1, %xmm2, %xmm3
        vmulss          %xmm1, %xmm2, %xmm3
        incq            %rax
        jne     .LBB0_3
        retq
"""


def cell(variant: str = "cuda:tiled", **knobs: int) -> Cell:
    problem = scripted.MATMUL.problem(512)
    return Cell("matmul", 512, problem.params, variant, tuple(knobs.items()))


def function(name: str = "multiply", registers: int = 96, spills: int = 0, launches: int = 1) -> GpuFunction:
    used = Resources(registers, 0, spills, spills, 16384)
    return GpuFunction(name, (8, 8, 1), (16, 16, 1), launches, 1024, ".visible .entry _ZN8multiply(", used, SASS)


def row(one: Cell, architecture: str, made: GpuFunction) -> GpuRow:
    used = made.resources
    assert used is not None
    known = occupancy(Use(made.threads, used.registers, made.shared_bytes), model_of((int(architecture[3]), 0)))
    return GpuRow(one, architecture, made, known, sass.read(made.sass))


def document(form: str = "resources") -> CodeDocument:
    gpu = [
        row(cell(tile=16), "sm_80", function()),
        row(cell(tile=16), "sm_90a", function(spills=8)),
        row(cell("cuda:naive"), "sm_90a", function("zero", 16)),
        row(cell("cuda:naive"), "sm_90a", function("sum_up", 40, launches=12)),
        GpuRow(cell("cuda:wgmma"), "sm_80", reason="needs compute capability 9.0; here it is 8.0"),
    ]
    host = (
        HostRow(
            cell("cpu:simd", tile=64), (HostFunction("run", "", X86),), host_code.read(HostFunction("run", "", X86))
        ),
        HostRow(cell("cpu:scalar"), reason="calls no function that Numba compiled; try --as source", failed=True),
    )
    compiled = [Compiled(one.cell, one.architecture, sources=SOURCES) for one in gpu]
    compiled += [Compiled(one.cell, reason=one.reason, failed=one.failed) for one in host]
    return CodeDocument(
        scripted.MATMUL, form, "0.1", "2026-01-02", ("gpuplay", "code"), "compiled", compiled, gpu, host
    )


SOURCES = (SourceFile("/k/tiles.py", ("", "", "def multiply(C):", "    a[0] = A[0]", "    total += a[0]")),)

VIEWS: dict[str, Callable[[int], str]] = {"coded": lambda width: resources.render(document(), width).plain + "\n"}
