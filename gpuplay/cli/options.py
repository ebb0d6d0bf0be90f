"""The options that every kernel's command has, and how a declaration's params and knobs join them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import typer

from gpuplay.kernel import Kernel, Param
from gpuplay.sizes import GRAMMAR

PROBLEM, MEASURING, OUTPUT, KNOBS = "Problem", "Measuring", "Output", "Knobs (comma lists become a sweep)"


@dataclass(frozen=True)
class Option:
    """One option: its Python name, type, default, help, panel and further spellings."""

    name: str
    type: Any
    default: Any
    help: str
    panel: str
    spellings: tuple[str, ...] = ()

    def parameter(self) -> inspect.Parameter:
        """The option as a parameter of a command function."""
        flags = (f"--{self.name.replace('_', '-')}", *self.spellings)
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
    Option("cold", bool, False, "Flush the caches before every sample.", MEASURING),
    Option("device", int, 0, "The CUDA device's number. Default: 0.", MEASURING),
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
    knobs = [Option(name, TEXT, None, text, KNOBS) for name, text in _knob_helps(kernel).items()]
    return (Option("sizes", TEXT, None, sizes, PROBLEM), *params, *COMMON, *knobs)


def _param_help(axis: Param) -> str:
    choices = f" One of {', '.join(map(str, axis.choices))}." if axis.choices and axis.name != "dtype" else ""
    default = "n" if axis.default is None else axis.default
    return f"{axis.help[:1].upper()}{axis.help[1:]}.{choices} Default: {default}."


def _knob_helps(kernel: Kernel) -> dict[str, str]:
    """For every knob its meaning, candidates and default, and the variants that have it."""
    helps: dict[str, str] = {}
    for variant in kernel.variants:
        for name, knob in variant.knobs.items():
            about = f"{knob.help}. " if knob.help else ""
            values = ",".join(map(str, knob.values))
            text = f"{about}{values}; default {knob.default} ({variant.name})"
            helps[name] = f"{helps[name]}; {text}" if name in helps else text
    return helps
