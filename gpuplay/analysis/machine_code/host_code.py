"""Assembly of host functions, x86-64 (AT&T) and AArch64: the hottest loop, its vector width, its fused operations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gpuplay.analysis.machine_code.flow import TURNS, Instruction, Loop, loops
from gpuplay.results.compiled import HostFunction

_LABEL = re.compile(r'^"?(?P<label>[.$\w@]+)"?:')
_LINE = re.compile(r"^\s+(?P<text>[a-z][^#/]*)")
_JUMP = re.compile(r"j[a-z]+|b(\.[a-z]+)?|cbn?z|tbn?z")
_ALWAYS = ("jmp", "jmpq", "b")
_ENDS = ("ret", "retq", "ud2", "br", "hlt")

# x86: the suffix says packed or scalar, the register how wide. AArch64: v0.4s and v0.2d are vectors of 128 bits.
_ARITHMETIC = re.compile(
    r"v?(?:add|sub|mul|div|sqrt|max|min|fn?m(?:add|sub|addsub|subadd)\d+)(?P<x86>[ps])[sd]"
    r"|fn?(?:madd|msub|mul|add|sub|div|mla|mls|max|min|maxnm|minnm|sqrt)"
)
_FUSED = re.compile(r"vfn?m(add|sub|addsub|subadd)\d+[ps][sd]|fn?m(add|sub|la|ls)")
_WIDTHS = (("%zmm", 512), ("%ymm", 256), ("%xmm", 128))
SCALAR_BITS = 32
_VECTOR = re.compile(r"\bv\d+\.(4s|2d|8h|16b)\b")


@dataclass(frozen=True)
class HostLoop:
    """The hottest loop of a host function, judged by the arithmetic of a turn and its depth; else the whole function.

    ``vector_bits`` is the width of its widest vector arithmetic, 0 where all of it is scalar; ``fused`` counts
    fused multiply-adds, ``packed`` the floating-point arithmetic on vectors, ``scalar`` that on one number;
    ``weight`` is what it was chosen by.
    """

    function: str
    instructions: int
    loop: Loop | None
    vector_bits: int
    fused: int
    packed: int
    scalar: int
    weight: tuple[int, int]


def hottest_loop(functions: Sequence[HostFunction]) -> HostLoop | None:
    """Of all functions of a variant the loop of the largest weight."""
    return max((read(function) for function in functions), key=lambda found: found.weight, default=None)


def read(function: HostFunction) -> HostLoop:
    """The hottest loop of one function."""
    code = parse(function.asm)
    stretches = [(loop, [code[position] for position in loop.own]) for loop in loops(code)]
    return max(
        (_read(function.name, loop, own) for loop, own in [*stretches, (None, list(code))]),
        key=lambda found: found.weight if found.loop else (-1, -1),
    )


def _read(name: str, loop: Loop | None, own: Sequence[Instruction]) -> HostLoop:
    floats = [one for one in own if _ARITHMETIC.fullmatch(one.mnemonic)]
    packed = [one for one in floats if _is_packed(one)]
    turns = TURNS ** (loop.depth if loop else 0)
    bits = sum(_width(one) for one in packed) + SCALAR_BITS * (len(floats) - len(packed))
    return HostLoop(
        name,
        len(own),
        loop,
        max((_width(one) for one in packed), default=0),
        sum(bool(_FUSED.fullmatch(one.mnemonic)) for one in floats),
        len(packed),
        len(floats) - len(packed),
        (bits * turns, len(own) * turns),
    )


def parse(listing: str) -> tuple[Instruction, ...]:
    """The instructions of a function, jumps within it resolved."""
    found: list[str] = []
    labels: dict[str, int] = {}
    for line in listing.splitlines():
        if match := _LABEL.match(line):
            labels[match["label"]] = len(found)
        elif match := _LINE.match(line):
            found.append(" ".join(match["text"].split()))
    return tuple(_instruction(text, labels) for text in found)


def _instruction(text: str, labels: dict[str, int]) -> Instruction:
    mnemonic, _, operands = text.partition(" ")
    label = operands.split(",")[-1].strip()
    jumps = bool(_JUMP.fullmatch(mnemonic))
    targets = (labels[label],) if jumps and label in labels else ()
    return Instruction(mnemonic, text, targets, falls=mnemonic not in (*_ALWAYS, *_ENDS))


def _is_packed(one: Instruction) -> bool:
    match = _ARITHMETIC.fullmatch(one.mnemonic)
    if match is None:
        return False
    return match["x86"] == "p" if match["x86"] else bool(_VECTOR.search(one.text))


def _width(one: Instruction) -> int:
    for register, bits in _WIDTHS:
        if register in one.text:
            return bits
    return 128 if _VECTOR.search(one.text) else 0
