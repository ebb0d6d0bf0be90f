"""NVIDIA machine code as nvdisasm prints it: instructions, the hottest loop, what it is made of.

The mnemonics are those of the CUDA Binary Utilities manual, "Instruction Set Reference".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from gpuplay.analysis.machine_code.flow import TURNS, Instruction, Loop, loops

_LINE = re.compile(r"^\s*/\*(?P<at>[0-9a-f]{4,})\*/\s+(?P<text>[^;/][^;]*?)\s*;")
_LABEL = re.compile(r"^(?P<label>[.$\w]+):\s*$")
_TARGET = re.compile(r"`\((?P<label>[^)]+)\)")
_CONSTANT = re.compile(r"^(@\S+ )?HFMA2\S* \S+ -RZ, RZ,")  # how a constant reaches a register beside other work
_WIDTH = re.compile(r"\.(?P<bits>64|128)\b")
_ENDS = ("EXIT", "RET", "BRX", "JMX", "JMP", "KILL")
_JUMPS = ("BRA", "BSYNC", "BREAK", "CALL")  # a call of a label here is how ptxas leaves some loops

# What a loop is made of, in the order of a table; everything else is address arithmetic and control.
KINDS: tuple[tuple[str, str], ...] = (
    ("HGMMA", r"[HIQ]GMMA"),
    ("HMMA", r"HMMA"),
    ("IMMA", r"IMMA|BMMA"),
    ("DMMA", r"DMMA"),
    ("FFMA", r"FFMA2?"),
    ("FADD/FMUL", r"FADD2?|FMUL2?|FSWZADD"),
    ("FSETP/FSEL", r"FMNMX\d?|FSETP|FSEL|FSET|FCHK"),
    ("convert", r"F2F.*|F2I.*|I2F.*|FRND"),
    ("DFMA", r"DFMA"),
    ("DADD/DMUL", r"DADD|DMUL|DSETP|DMNMX"),
    ("HFMA2", r"H(FMA|ADD|MUL|MNMX|SET|SETP)2.*"),
    ("MUFU", r"MUFU"),
    ("LDSM", r"LDSM"),
    ("LDS", r"LDS"),
    ("STS", r"STS|STSM"),
    ("LDG", r"LDG|LD"),
    ("STG", r"STG|ST"),
    ("LDGSTS", r"LDGSTS"),
    ("UTMALDG", r"UTMA.*|UBLKCP.*"),
    ("local", r"LDL|STL"),
    ("atomics", r"ATOM[GS]?|RED[GS]?"),
    ("SHFL", r"SHFL|VOTE.?|MATCH|REDUX"),
    ("BAR", r"BAR|SYNCS|DEPBAR|LDGDEPBAR|WARPSYNC|MEMBAR|WARPGROUP|FENCE|ARRIVES|CCTL.*|ERRBAR"),
)
# Operations of a thread in an instruction, roughly: what a loop is judged by. A matrix unit does a warp's at once.
OPERATIONS = {"FFMA": 2, "FADD/FMUL": 1, "FSETP/FSEL": 1, "DFMA": 2, "DADD/DMUL": 1, "HFMA2": 4, "MUFU": 1}
OPERATIONS |= {"HMMA": 128, "IMMA": 128, "DMMA": 16, "HGMMA": 8192}
_PATTERNS = tuple((name, re.compile(pattern)) for name, pattern in KINDS)
WIDE = ("LDS", "STS", "LDG", "STG")
REST = "other"


@dataclass(frozen=True)
class Mix:
    """What a stretch of code is made of: how many instructions, and of which kinds; the kinds add up to the total."""

    total: int
    kinds: tuple[tuple[str, int], ...]

    def share(self, kind: str) -> float:
        """The share from 0 to 1 of one kind, all widths of it: ``LDS`` counts ``LDS.128``."""
        found = sum(count for name, count in self.kinds if name.partition(".")[0] == kind or name == kind)
        return found / self.total if self.total else 0.0


@dataclass(frozen=True)
class Loops:
    """What an instruction listing shows: its length, its hottest loop, and what that is made of.

    Nothing was run: the hottest loop is the one of most arithmetic a turn and greatest depth, among loops without
    arithmetic the longest and deepest. Without a loop the mix is that of the ``whole`` function.
    """

    instructions: int
    loop: Loop | None
    mix: Mix
    whole: Mix


def parse(listing: str) -> tuple[Instruction, ...]:
    """The instructions of ``nvdisasm``'s listing, jumps resolved; trailing padding is left out."""
    found: list[tuple[str, str]] = []
    labels: dict[str, int] = {}
    for line in listing.splitlines():
        if match := _LABEL.match(line):
            labels[match["label"]] = len(found)
        elif (match := _LINE.match(line)) and (text := match["text"]):
            predicate, operation = _split(text)
            found.append((predicate, operation))
    syncs: dict[str, str] = {}
    code = [_instruction(predicate, text, labels, syncs) for predicate, text in found]
    while code and code[-1].mnemonic == "NOP":
        code.pop()
    return tuple(code)


def is_instruction(line: str) -> bool:
    """Whether a line of a listing is one of the instructions that `parse` counts, padding included."""
    return bool(_LINE.match(line))


def read(listing: str) -> Loops:
    """The hottest loop of a listing and its mix."""
    code = parse(listing)
    stretches = [(loop, mix(code[position] for position in loop.own)) for loop in loops(code)]
    if not stretches:
        return Loops(len(code), None, mix(code), mix(code))
    loop, made_of = max(stretches, key=lambda one: _weight(*one))
    return Loops(len(code), loop, made_of, mix(code))


def _weight(loop: Loop, made_of: Mix) -> tuple[int, int]:
    turns = TURNS**loop.depth
    operations = sum(count * OPERATIONS.get(name, 0) for name, count in made_of.kinds)
    return operations * turns, made_of.total * turns


def mix(code: Iterable[Instruction]) -> Mix:
    """Instructions counted by kind, in the order of `KINDS`; loads and stores also by width."""
    counts = Counter(kind(one) for one in code if one.mnemonic.partition(".")[0] != "NOP")
    order = {name: place for place, (name, _) in enumerate(KINDS)}
    ranked = sorted(counts.items(), key=lambda item: (order.get(item[0].partition(".")[0], len(order)), item[0]))
    return Mix(counts.total(), tuple(ranked))


def kind(one: Instruction) -> str:
    """The kind of an instruction, such as ``FFMA``, ``LDS.128`` or ``other``."""
    base = one.mnemonic.partition(".")[0]
    name = next((name for name, pattern in _PATTERNS if pattern.fullmatch(base)), REST)
    name = REST if _CONSTANT.search(one.text) else name
    width = _WIDTH.search(one.mnemonic.removeprefix(base)) if name in WIDE else None
    return f"{name}.{width['bits']}" if width else name


def _split(text: str) -> tuple[str, str]:
    """The predicate and the operation behind it."""
    if text.startswith("@"):
        predicate, _, operation = text.partition(" ")
        return predicate, operation.strip()
    return "", text


def _instruction(predicate: str, text: str, labels: dict[str, int], syncs: dict[str, str]) -> Instruction:
    """An instruction with where it leads. BSYNC leads to the label of the BSSY before it with its barrier."""
    mnemonic, _, operands = text.partition(" ")
    base = mnemonic.partition(".")[0]
    named = _TARGET.search(operands)
    label = named["label"] if named else ""
    barrier = operands.partition(",")[0].strip()
    if base == "BSSY":
        syncs[barrier] = label
        label = ""
    if base in ("BSYNC", "BREAK"):
        label = syncs.get(operands.split(",")[-1].strip(), "") if base == "BSYNC" else ""
    targets = (labels[label],) if base in _JUMPS and label in labels else ()
    conditional = bool(predicate) or (base == "BRA" and not operands.strip().startswith("`"))
    ends = base in _ENDS or (base in ("BRA", "BSYNC") and bool(targets))
    return Instruction(mnemonic, f"{predicate} {text}".strip(), targets, falls=conditional or not ends)
