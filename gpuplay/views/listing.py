"""``gpuplay list``, and what a bare ``gpuplay`` says."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from gpuplay.kernel import Kernel, Variant
from gpuplay.kinds.known import Offer
from gpuplay.units import option_text
from gpuplay.views.text.layout import Entry, column, join, stack, wrap

TRY = (
    ("gpuplay matmul --sizes 256..2048", "scalar, SIMD, cores and GPU as the matrices grow"),
    ("gpuplay activation --function relu", "where memory, not arithmetic, sets the pace"),
    ("gpuplay matmul --on cpu:parallel --block-n 256,512,1024", "which block is the fastest, and which tie"),
    ("gpuplay new mine && gpuplay ./mine.py", "a kernel of your own, verified and timed"),
    ("gpuplay doctor", "what this machine can do, and what mends the rest"),
)


def welcome(kernels: Sequence[Kernel], width: int) -> Text:
    """What gpuplay is, the kernels in a line each, and five lines to try."""
    what = (
        "gpuplay measures, on the machine in front of you, why neural-network arithmetic runs so well on "
        "parallel hardware: scalar, SIMD, many cores, GPU. Every result is verified before it is timed."
    )
    lines = [*wrap(what, width), Text(), Text("Kernels", style="bold")]
    names = max((len(kernel.name) for kernel in kernels), default=0)
    for kernel in kernels:
        lines += wrap(kernel.summary, width, first=f"  {kernel.name.ljust(names)}  ")
    commands = max(len(command) for command, _ in TRY)
    lines += [Text(), Text("Try", style="bold")]
    for command, why in TRY:
        if commands + len(why) + 4 <= width:
            lines.append(Text(f"  {command.ljust(commands)}  {why}"))
        else:
            lines += [Text(f"  {command}"), *wrap(why, width, first="      ")]
    return stack(
        [*lines, Text(), *wrap("gpuplay --help has all commands, gpuplay KERNEL --help a kernel's options.", width)]
    )


def render(kernels: Sequence[Kernel], width: int, offers: Sequence[Offer] = ()) -> Text:
    """Every kernel with its params, and a line for each variant; below them the targets that packages offer."""
    lines: list[Text] = []
    for kernel in kernels:
        lines += [*([Text()] if lines else []), Text.assemble((kernel.name, "bold"), "  ", kernel.summary)]
        axes = [f"--sizes {kernel.size}", *(_option(axis.name, axis.choices, axis.default) for axis in kernel.axes)]
        lines += wrap("  ".join(axes), width, first="  ")
        lines += [Text(), *_variants(kernel, width)]
    if offers:
        lines += [Text(), Text("Targets from installed packages", style="bold")]
    for offer in offers:
        fault = f": {offer.fault}" if offer.fault else ""
        lines += wrap(f"{offer.name}  {offer.package}{fault}", width, first="  ")
    return stack(lines)


def _option(name: str, choices: Sequence[object], default: object) -> str:
    value = "|".join(map(str, choices)) if choices else "n" if default is None else str(default)
    return option_text(name, value)


def _variants(kernel: Kernel, width: int) -> list[Text]:
    story = kernel.story_names
    columns = [
        column(["variant"], [Entry((_marked(v, story),)) for v in kernel.variants], right=False),
        column(["class"], [Entry((v.flynn,)) for v in kernel.variants], right=False),
    ]
    if any(variant.knobs for variant in kernel.variants):
        columns.append(column(["knobs"], [Entry((_knobs(variant),)) for variant in kernel.variants], right=False))
    taken = sum(one.width + 2 for one in columns) + 2
    room = max(width - taken, 24)
    lines: list[Text] = []
    drawn = join(columns, 2)
    for place, line in enumerate(drawn):
        if place < 2:
            lines.append(line)
            continue
        idea = wrap(kernel.variants[place - 2].idea, room)
        line.pad_right(taken - line.cell_len)
        lines.append(line + idea[0] if idea else line)
        lines += [Text(" " * taken) + rest for rest in idea[1:]]
    return [*lines, Text("  * measured when nothing else is asked for with --on")]


def _marked(variant: Variant, story: Sequence[str]) -> str:
    return f"{variant.name} *" if variant.name in story else variant.name


def _knobs(variant: Variant) -> str:
    return " ".join(f"{name} {','.join(map(str, knob.values))}" for name, knob in variant.knobs.items())
