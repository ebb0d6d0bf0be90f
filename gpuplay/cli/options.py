"""The options that every kernel's command has, and how a declaration's params and knobs join them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import typer

from gpuplay.kernel import Kernel, Param, Variant
from gpuplay.plan.sizes import GRAMMAR
from gpuplay.plan.small import LADDER_FLOPS, explained_size
from gpuplay.units import option_text

PROBLEM, MEASURING, OUTPUT, KNOBS = "Problem", "Measuring", "Output", "Knobs (comma lists become a sweep)"


@dataclass(frozen=True)
class Option:
    """One option: its Python name, type, default, help, panel and further spellings.

    ``flag`` where it is not the name: ``--as`` is a word of Python.
    """

    name: str
    type: Any
    default: Any
    help: str
    panel: str
    spellings: tuple[str, ...] = ()
    flag: str = ""

    def parameter(self) -> inspect.Parameter:
        """The option as a parameter of a command function."""
        flags = (self.flag or option_text(self.name), *self.spellings)
        default = typer.Option(self.default, *flags, help=self.help, rich_help_panel=self.panel, show_default=False)
        return inspect.Parameter(self.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=self.type)


TEXT = str | None
COMMON = (
    Option(
        "on",
        TEXT,
        None,
        "Variants or targets: cuda, or cpu:simd,numpy. Default: the story, one of each class.",
        PROBLEM,
    ),
    Option("baseline", TEXT, None, "The variant that is 1×: a name, best, or none.", PROBLEM),
    Option(
        "threads",
        TEXT,
        None,
        "Host threads of variants that use several, as a comma list. Default: all cores.",
        PROBLEM,
    ),
    Option("time", TEXT, None, "Seconds for the whole command, such as 60s or 2min. Default: no limit.", MEASURING),
    Option("cell_time", str, "1s", "Sampling time of one cell. Default: 1s.", MEASURING),
    Option("cell_limit", str, "30s", "Skip a cell that is predicted to take longer. Default: 30s.", MEASURING),
    Option("cell_timeout", str, "60s", "Kill a step of a cell that takes longer. Default: 60s.", MEASURING),
    Option("rounds", int, 5, "Rounds in which cells take turns. Default: 5.", MEASURING),
    Option("seed", int, 0, "Seed of the inputs and of the order of turns. Default: 0.", MEASURING),
    Option("cold", bool, False, "Flush the caches before every call.", MEASURING),
    Option("graph", bool, False, "On a GPU, time replays of a run captured as a CUDA graph.", MEASURING),
    Option("device", str, "0", "The CUDA device: its number or its UUID. Default: 0.", MEASURING),
    Option(
        "export",
        list[str] | None,
        None,
        "Write results to FILE.json, .csv or .md as they arrive; repeatable.",
        OUTPUT,
        ("-o",),
    ),
    Option("json", bool, False, "Print the results as JSON to stdout instead of the table.", OUTPUT),
    Option("detail", bool, False, "Also show every cell's times, rates, errors and % of roof.", OUTPUT),
    Option("plan", bool, False, "Show what would run, how long and how much memory; run nothing.", OUTPUT),
    Option("plain", bool, False, "No live view and no colour.", OUTPUT),
    Option("debug", bool, False, "Show tracebacks, and what the workers printed.", OUTPUT),
)


def of_kernel(kernel: Kernel) -> tuple[Option, ...]:
    """All options of a kernel's command: sizes, params, knobs, and the common ones."""
    sizes = f"Sizes ({kernel.size_help}): {GRAMMAR}. Default: {kernel.size}."
    params = [Option(axis.name, TEXT, None, _param_help(axis), PROBLEM) for axis in kernel.axes]
    knobs = [Option(name, TEXT, None, text, KNOBS) for name, text in _knob_helps(kernel.variants).items()]
    return (Option("sizes", TEXT, None, sizes, PROBLEM), *params, *COMMON, *knobs)


def of_ladder(kernel: Kernel) -> tuple[Option, ...]:
    """The options of ``gpuplay ladder`` for a kernel: those of its sweep, and ``--diff``."""
    flops = f"{LADDER_FLOPS / 1e9:.1f} GFLOP"
    told = {
        "sizes": f"Sizes ({kernel.size_help}): {GRAMMAR}. Default: the largest of {kernel.size} up to {flops}.",
        "on": "A target, for its longest ladder; one variant, for the ladder up to it; or rungs by name. Default: cpu.",
        "baseline": "The variant beside the rungs: a name, best, or none. Default: the kernel's baseline.",
        "detail": "Also show every cell's times, rates and errors.",
    }
    diff = Option("diff", bool, False, "Show what changes in the source from rung to rung; run nothing.", OUTPUT)
    known = (replace(option, help=told.get(option.name, option.help)) for option in of_kernel(kernel))
    return (*known, diff)


def of_explain(kernel: Kernel) -> tuple[Option, ...]:
    """The options of ``gpuplay explain`` for a kernel: one problem, one variant or two."""
    size = f"One size ({kernel.size_help}). Default: {explained_size(kernel)}."
    on = "A CUDA variant, or two side by side: cuda:naive,cuda:tiled. Default: the story's."
    known = {option.name: option for option in COMMON}
    explainable = [variant for variant in kernel.variants if variant.kind.stepped]
    files = "Write what was explained to FILE.json, .md or .html; repeatable."
    return (
        Option("sizes", TEXT, None, size, PROBLEM),
        *(Option(axis.name, TEXT, None, _param_help(axis), PROBLEM) for axis in kernel.axes),
        Option("on", TEXT, None, on, PROBLEM),
        replace(known["seed"], help="Seed of the inputs. Default: 0."),
        Option("map", TEXT, None, "Draw which lane of a warp touches what at this LINE, or FILE.py:LINE.", OUTPUT),
        replace(known["export"], help=files),
        replace(known["json"], help="Print JSON to stdout instead of the page."),
        replace(known["cell_timeout"], help="Kill a run that takes longer. Default: 60s."),
        replace(known["plain"], help="No colour."),
        known["debug"],
        *(Option(name, TEXT, None, text, KNOBS) for name, text in _knob_helps(explainable).items()),
    )


def of_code(kernel: Kernel) -> tuple[Option, ...]:
    """The options of ``gpuplay code`` for a kernel: one problem, any variants."""
    known = {option.name: option for option in COMMON}
    shown = [variant for variant in kernel.variants if variant.kind.compiler]
    on = "Variants or targets; two variants: what differs, too. Default: the story's on CUDA."
    forms = "resources, source, ptx or sass of CUDA variants; resources, source, llvm or asm of CPU variants."
    arch = "What to compile for: sm_75, sm_80, sm_86, sm_89, sm_90, as a list. Default: the GPU here, else sm_90."
    return (
        Option(
            "sizes",
            TEXT,
            None,
            f"One size ({kernel.size_help}). Default: one of {kernel.size} that is soon done.",
            PROBLEM,
        ),
        *(Option(axis.name, TEXT, None, _param_help(axis), PROBLEM) for axis in kernel.axes),
        Option("on", TEXT, None, on, PROBLEM),
        Option("form", TEXT, None, f"{forms} Default: resources.", OUTPUT, flag="--as"),
        Option("arch", TEXT, None, arch, OUTPUT),
        replace(known["seed"], help="Seed of the inputs with which a CPU variant is called once. Default: 0."),
        replace(known["export"], help="Write what is shown to FILE.json or .md; repeatable."),
        replace(known["json"], help="Print JSON to stdout instead."),
        replace(known["cell_timeout"], help="Kill a compilation that takes longer. Default: 60s."),
        replace(known["plain"], help="No colour."),
        known["debug"],
        *(Option(name, TEXT, None, text, KNOBS) for name, text in _knob_helps(shown).items()),
    )


def _param_help(axis: Param) -> str:
    choices = f" One of {', '.join(map(str, axis.choices))}." if axis.choices and axis.name != "dtype" else ""
    default = "n" if axis.default is None else axis.default
    return f"{axis.help[:1].upper()}{axis.help[1:]}.{choices} Default: {default}."


def _knob_helps(variants: Iterable[Variant]) -> dict[str, str]:
    """For every knob its meaning, candidates and default, and the variants that have it."""
    helps: dict[str, str] = {}
    for variant in variants:
        for name, knob in variant.knobs.items():
            about = f"{knob.help}. " if knob.help else ""
            values = ",".join(map(str, knob.values))
            text = f"{about}{values}; default {knob.default} ({variant.name})"
            helps[name] = f"{helps[name]}; {text}" if name in helps else text
    return helps
