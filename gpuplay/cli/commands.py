"""The commands that are no kernel: run, explain, code, ladder, list, new, check, peers, doctor."""

from __future__ import annotations

import json as jsons
import keyword
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gpuplay.catalog.find import bundled_kernels, find_kernel, plugin_kernels
from gpuplay.catalog.load import load_kernel
from gpuplay.cli.kernel_command import code_command, explain_command, kernel_command, ladder_command
from gpuplay.errors import KernelFileError, UsageError
from gpuplay.kernel import Kernel, refuse_bad_name

TEMPLATE = Path(__file__).with_name("new_kernel.txt")
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

Word = Annotated[str, typer.Argument(metavar="KERNEL", help="A kernel's name, or a path such as ./mine.py.")]
MaybeWord = Annotated[str | None, typer.Argument(metavar="[KERNEL]", help="A kernel's name or path. Default: all.")]
Plain = Annotated[bool, typer.Option("--plain", help="No live view and no colour.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks, and what the workers printed.")]


def welcome() -> None:
    """Say what gpuplay is, the kernels in a line each, and five lines to try."""
    from gpuplay.views import listing
    from gpuplay.views.text.layout import show

    console = Console()
    show(console, listing.welcome(_readable_kernels()[0], console.width))


def run(ctx: typer.Context, kernel: Word) -> None:
    """Measure a kernel: `gpuplay run KERNEL` is the same as `gpuplay KERNEL`."""
    if kernel in ("--help", "-h"):
        typer.echo(ctx.get_help())
        raise typer.Exit
    made = kernel_command(find_kernel(kernel), kernel)
    raise typer.Exit(made.main(args=ctx.args, prog_name=f"gpuplay {kernel}", standalone_mode=False) or 0)


def explain(ctx: typer.Context, kernel: Word) -> None:
    """Show what a CUDA variant does, line by line, and what to do about it; needs no GPU.

    It runs once on the lockstep machine: lanes, memory sectors, bank conflicts, atomics and arithmetic of each
    line of its source, and findings in plain words. `gpuplay explain KERNEL --help` has the options.
    """
    if kernel in ("--help", "-h"):
        typer.echo(ctx.get_help())
        raise typer.Exit
    made = explain_command(find_kernel(kernel), kernel)
    raise typer.Exit(made.main(args=ctx.args, prog_name=f"gpuplay explain {kernel}", standalone_mode=False) or 0)


def code(ctx: typer.Context, kernel: Word) -> None:
    """Show what a variant is compiled to: registers, occupancy, machine code; needs no GPU.

    Of CUDA variants the source, PTX, SASS and resources on any architecture, of CPU variants the source, LLVM and
    assembly. `gpuplay code KERNEL --help` has the options.
    """
    if kernel in ("--help", "-h"):
        typer.echo(ctx.get_help())
        raise typer.Exit
    made = code_command(find_kernel(kernel), kernel)
    raise typer.Exit(made.main(args=ctx.args, prog_name=f"gpuplay code {kernel}", standalone_mode=False) or 0)


def ladder(ctx: typer.Context, kernel: Word) -> None:
    """Climb a kernel's ladder: what each rung gains on the one below, each rung one idea more.

    `gpuplay ladder KERNEL --diff` shows the source change from rung to rung; `gpuplay ladder KERNEL --help` has
    the options.
    """
    if kernel in ("--help", "-h"):
        typer.echo(ctx.get_help())
        raise typer.Exit
    made = ladder_command(find_kernel(kernel), kernel)
    raise typer.Exit(made.main(args=ctx.args, prog_name=f"gpuplay ladder {kernel}", standalone_mode=False) or 0)


def list_(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the kernels and their variants."""
    from gpuplay.views import listing
    from gpuplay.views.text.layout import show

    kernels, broken = _readable_kernels()
    if json:
        print(jsons.dumps({"kernels": [_as_json(k) for k in kernels], "broken": broken}, indent=1))
        return
    console = Console()
    show(console, listing.render(kernels, console.width))
    for name, reason in broken.items():
        typer.echo(f"gpuplay: {name} cannot be used: {reason}", err=True)


def new(
    name: Annotated[str, typer.Argument(help="The kernel's name; the file is NAME.py in the current folder.")],
) -> None:
    """Write a commented kernel file that runs and checks at once."""
    try:
        refuse_bad_name("kernel", name)
    except KernelFileError as error:
        raise UsageError(f"new: {error}") from None
    if keyword.iskeyword(name):
        raise UsageError(f"new: {name!r} is a word of Python; choose another name")
    path = Path(f"{name}.py")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.read_text(encoding="utf-8").replace("NAME", name))
    except FileExistsError:
        raise UsageError(f"new: {path} exists already; choose another name, or remove it first") from None
    except OSError as error:
        raise UsageError(f"new: {path} cannot be written: {error.strerror}; change to a folder of your own") from None
    typer.echo(f"wrote {path}\ntry:  gpuplay check ./{path}\n      gpuplay ./{path}")


def check(
    kernel: MaybeWord = None,
    on: Annotated[str | None, typer.Option(help="Variants or targets, as in a sweep. Default: all.")] = None,
    sizes: Annotated[str | None, typer.Option(help="Sizes. Default: 1,2,7,31,33,127,129 and odd shapes.")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32, float64 or both as a list. Default: both.")] = None,
    device: Annotated[str, typer.Option(help="The CUDA device: its number or its UUID.")] = "0",
    seed: Annotated[int, typer.Option(help="Seed of the inputs.")] = 0,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Judge outputs even where a check of the lockstep machine fires.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Check again whenever the file is saved.")] = False,
    plain: Plain = False,
    debug: Debug = False,
) -> None:
    """Verify every variant, at awkward sizes and every knob value: CUDA without a GPU, too. Nothing is timed."""
    from gpuplay.cli.checking import check_kernels

    origins = [find_kernel(kernel)] if kernel else [*bundled_kernels(), *plugin_kernels()]
    options: dict[str, Any] = {"on": on, "sizes": sizes, "dtype": dtype, "device": device, "seed": seed}
    options["keep_going"] = keep_going
    if watch:
        from gpuplay.cli.watching import watch_kernel

        if kernel is None:
            raise UsageError("check --watch: name the kernel to watch: gpuplay check ./mine.py --watch")
        raise typer.Exit(watch_kernel(origins[0], options, plain=plain, debug=debug))
    raise typer.Exit(check_kernels(origins, options, plain=plain, debug=debug))


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
    from gpuplay.cli.peers import compare

    values: dict[str, Any] = {"rows": rows, "quick": quick, "rounds": rounds, "cell_time": cell_time}
    values |= {"cell_timeout": cell_timeout, "device": device, "seed": seed, "export": export, "json": json}
    values |= {"detail": detail, "plan": plan, "plain": plain, "debug": debug}
    raise typer.Exit(compare(machine, values))


def doctor(plain: Plain = False) -> None:
    """Show what this machine can do, what is missing, and the one command that mends it."""
    from gpuplay.cli.examine import examine

    raise typer.Exit(examine(plain=plain))


def _readable_kernels() -> tuple[list[Kernel], dict[str, str]]:
    """The bundled kernels, and the reasons why some cannot be read."""
    kernels, broken = [], {}
    for origin in bundled_kernels():
        try:
            kernels.append(load_kernel(origin).kernel)
        except KernelFileError as error:
            broken[origin.name] = str(error)
    return kernels, broken


def _as_json(kernel: Kernel) -> dict[str, Any]:
    return {
        "name": kernel.name,
        "summary": kernel.summary,
        "sizes": kernel.size,
        "params": {
            axis.name: {"help": axis.help, "default": axis.default, "choices": list(axis.choices)}
            for axis in kernel.axes
        },
        "variants": [
            {
                "name": variant.name,
                "class": variant.flynn,
                "idea": variant.idea,
                "knobs": {name: {"values": list(k.values), "default": k.default} for name, k in variant.knobs.items()},
            }
            for variant in kernel.variants
        ],
    }
