"""The commands that take no kernel's options: list, new, check, peers, doctor."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gpuplay.catalog.find import bundled_kernels, find_kernel, plugin_kernels
from gpuplay.cli.asked import settings_of
from gpuplay.commands.asked import Asked, Output, PeersAsked
from gpuplay.errors import UsageError
from gpuplay.plan.request import Choice

QUICK: dict[str, Any] = {"rounds": 3, "cell_time": "300ms"}
WHOLE: dict[str, Any] = {"rounds": 5, "cell_time": "1s"}

MaybeWord = Annotated[str | None, typer.Argument(metavar="[KERNEL]", help="A kernel's name or path. Default: all.")]
Plain = Annotated[bool, typer.Option("--plain", help="No live view and no colour.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks, and what the workers printed.")]


def list_(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the kernels and their variants."""
    from gpuplay.commands.list import list_kernels

    raise typer.Exit(list_kernels(json=json))


def new(
    name: Annotated[str, typer.Argument(help="The kernel's name; the file is NAME.py in the current folder.")],
    idea: Annotated[
        str, typer.Option("--with", help="reduction: a sum, in four rungs on a GPU. Default: element by element.")
    ] = "",
) -> None:
    """Write a commented kernel file that runs and checks at once."""
    from gpuplay.commands.new import new as write

    raise typer.Exit(write(name, idea))


def check(
    kernel: MaybeWord = None,
    on: Annotated[str | None, typer.Option(help="Variants or targets, as in a sweep. Default: all.")] = None,
    sizes: Annotated[str | None, typer.Option(help="Sizes. Default: 1,2,7,31,33,127,129 and odd shapes.")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32, float64 or both as a list. Default: both.")] = None,
    device: Annotated[str, typer.Option(help="The CUDA device: its number or its UUID.")] = "0",
    cell_timeout: Annotated[str, typer.Option(help="End a run that takes longer.")] = "60s",
    seed: Annotated[int, typer.Option(help="Seed of the inputs.")] = 0,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Judge outputs even where a check of the lockstep machine fires.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Check again whenever the file is saved.")] = False,
    plain: Plain = False,
    debug: Debug = False,
) -> None:
    """Verify every variant, at awkward sizes and every knob value: CUDA without a GPU, too. Nothing is timed."""
    from gpuplay.commands.check import check as run
    from gpuplay.commands.watch import watch as run_again

    origins = [find_kernel(kernel)] if kernel else [*bundled_kernels(), *plugin_kernels()]
    axes = {} if dtype is None else {"dtype": dtype}
    asked = Asked(
        Choice(sizes=sizes, on=on, axes=axes),
        settings_of({"seed": seed, "device": device, "keep_going": keep_going, "cell_timeout": cell_timeout}),
        Output(plain=plain, debug=debug),
    )
    if watch and kernel is None:
        raise UsageError("check --watch: name the kernel to watch: gpuplay check ./mine.py --watch")
    raise typer.Exit(run_again(origins[0], asked) if watch else run(origins, asked))


def peers(
    machine: Annotated[str, typer.Argument(metavar="[cpu|cuda]", help="Which rows. Default: cpu.")] = "cpu",
    rows: Annotated[
        str | None, typer.Option(help="Rows by name, such as matmul or conv2d:3x3,lstm. Default: all.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer cases and shorter times: a few minutes.")] = False,
    rounds: Annotated[int | None, typer.Option(help="Rounds in which cells take turns. Default: 5, quick: 3.")] = None,
    cell_time: Annotated[str | None, typer.Option(help="Sampling time of one cell. Default: 1s, quick: 300ms.")] = None,
    cell_timeout: Annotated[str, typer.Option(help="Kill a step of a cell that takes longer.")] = "120s",
    device: Annotated[str, typer.Option(help="The CUDA device of the rows for cuda: its number or UUID.")] = "0",
    seed: Annotated[int, typer.Option(help="Seed of the inputs and of the order of turns.")] = 0,
    export: Annotated[
        list[str] | None,
        typer.Option("--export", "-o", help="Write the rows to FILE.json or .md as they are judged; repeatable."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON to stdout instead of the table.")] = False,
    detail: Annotated[bool, typer.Option("--detail", help="Also show every case: who stood against whom.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Show the rows and their figures; run nothing.")] = False,
    plain: Plain = False,
    debug: Debug = False,
) -> None:
    """Hold our variants against the libraries, row by row, with the figure that each row must reach.

    Every row is one interleaved run. The exit code is 0 where every row that could be judged holds.
    """
    from gpuplay.commands.peers import peers as run

    usual = QUICK if quick else WHOLE
    settings = settings_of(
        {
            "rounds": usual["rounds"] if rounds is None else rounds,
            "cell_time": usual["cell_time"] if cell_time is None else cell_time,
            "cell_limit": "60s",
            "cell_timeout": cell_timeout,
            "device": device,
            "seed": seed,
        }
    )
    output = Output(tuple(export or ()), json=json, detail=detail, plan=plan, plain=plain, debug=debug)
    raise typer.Exit(run(PeersAsked(machine, rows, quick, settings, output)))


def doctor(plain: Plain = False) -> None:
    """Show what this machine can do, what is missing, and the one command that mends it."""
    from gpuplay.commands.doctor import doctor as run

    raise typer.Exit(run(plain=plain))


COMMANDS = (list_, new, check, peers, doctor)
