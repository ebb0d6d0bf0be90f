"""Commands on one kernel, made from its declaration when it is named: a row each in `COMMANDS`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command

from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.load import load_kernel
from gpuplay.catalog.origin import Origin
from gpuplay.cli import asked, options
from gpuplay.errors import KernelFileError
from gpuplay.kernel import Kernel, Variant

if TYPE_CHECKING:
    from gpuplay.commands.steps.opened import Opened

KERNELS_PANEL, PLUGINS_PANEL = "Kernels", "Kernels from installed packages"
HELP = {"help_option_names": ["-h", "--help"]}
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

Word = Annotated[str, typer.Argument(metavar="KERNEL", help="A kernel's name, or a path such as ./mine.py.")]


@dataclass(frozen=True)
class KernelCommand:
    """A command whose options are those of the kernel that it is given.

    ``help`` is what the command says of itself without a kernel; ``options`` are its options for a kernel,
    ``variants`` those that its help lists; ``run`` does what the words ask for and returns the exit code.
    """

    name: str
    help: str
    options: Callable[[Kernel], tuple[options.Option, ...]]
    variants: Callable[[Kernel], Sequence[Variant]]
    run: Callable[[Opened, asked.Words], int]


def _run(opened: Opened, words: asked.Words) -> int:
    from gpuplay.commands.run import run

    return run(opened, asked.sweep_asked(opened.kernel, words))


def _explain(opened: Opened, words: asked.Words) -> int:
    from gpuplay.commands.explain import explain

    return explain(opened, asked.explain_asked(opened.kernel, words))


def _code(opened: Opened, words: asked.Words) -> int:
    from gpuplay.commands.code import code

    return code(opened, asked.code_asked(opened.kernel, words))


def _ladder(opened: Opened, words: asked.Words) -> int:
    from gpuplay.commands.ladder import ladder

    return ladder(opened, asked.ladder_asked(opened.kernel, words))


def _all(kernel: Kernel) -> Sequence[Variant]:
    return kernel.variants


def _on_cuda(kernel: Kernel) -> Sequence[Variant]:
    return [variant for variant in kernel.variants if variant.kind.stepped] or kernel.variants


def _rungs(kernel: Kernel) -> Sequence[Variant]:
    improved = {variant.improves_on for variant in kernel.variants}
    return [v for v in kernel.variants if v.improves_on or v.name in improved] or kernel.variants


RUN = KernelCommand(
    "run",
    "Measure a kernel: `gpuplay run KERNEL` is the same as `gpuplay KERNEL`.",
    options.of_kernel,
    _all,
    _run,
)
COMMANDS = (
    RUN,
    KernelCommand(
        "explain",
        """Show what a CUDA variant does, line by line, and what to do about it; needs no GPU.

        It runs once on the lockstep machine: lanes, memory sectors, bank conflicts, atomics and arithmetic of each
        line of its source, and findings in plain words. `gpuplay explain KERNEL --help` has the options.
        """,
        options.of_explain,
        _on_cuda,
        _explain,
    ),
    KernelCommand(
        "code",
        """Show what a variant is compiled to: registers, occupancy, machine code; needs no GPU.

        Of CUDA variants the source, PTX, SASS and resources on any architecture, of CPU variants the source, LLVM and
        assembly. `gpuplay code KERNEL --help` has the options.
        """,
        options.of_code,
        _all,
        _code,
    ),
    KernelCommand(
        "ladder",
        """Climb a kernel's ladder: what each rung gains on the one below, each rung one idea more.

        `gpuplay ladder KERNEL --diff` shows the source change from rung to rung; `gpuplay ladder KERNEL --help` has
        the options.
        """,
        options.of_ladder,
        _rungs,
        _ladder,
    ),
)


def for_kernel(row: KernelCommand, origin: Origin, word: str) -> Any:
    """A command for one kernel, its options those of the declaration."""
    from gpuplay.commands.steps.opened import Opened

    opened = Opened.of(origin)

    def command(**words: Any) -> None:
        with opened:
            raise typer.Exit(row.run(opened, words))

    kernel = opened.kernel
    return _made(command, kernel, word, row.options(kernel), row.variants(kernel))


def add_to(app: typer.Typer, row: KernelCommand) -> None:
    """Add a command that takes a kernel's name or path, and passes the rest on to that kernel's own command."""

    def command(ctx: typer.Context, kernel: Word) -> None:
        if kernel in ("--help", "-h"):
            typer.echo(ctx.get_help())
            raise typer.Exit
        name = kernel if row is RUN else f"{row.name} {kernel}"
        made = for_kernel(row, find_kernel(kernel), kernel)
        raise typer.Exit(made.main(args=ctx.args, prog_name=f"gpuplay {name}", standalone_mode=False) or 0)

    command.__doc__ = row.help
    app.command(row.name, context_settings=PASS_ON, add_help_option=False)(command)


def listed(origin: Origin) -> Any:
    """A command that has only a name and a line: plugins are not imported for a list."""
    app = typer.Typer(add_completion=False)
    panel, text = KERNELS_PANEL, "from an installed package"
    if origin.kind == "bundled":
        try:
            text = load_kernel(origin).kernel.summary
        except KernelFileError as error:
            text = f"broken: {error}"
    else:
        panel = PLUGINS_PANEL

    def command() -> None:
        """Stand in for the kernel's command."""

    app.command(origin.name, help=text, rich_help_panel=panel)(command)
    made = get_command(app)
    made.name = origin.name
    return made


def _made(command: Any, kernel: Kernel, word: str, known: Iterable[options.Option], variants: Sequence[Variant]) -> Any:
    parameters = [option.parameter() for option in known]
    command.__signature__ = inspect.Signature(parameters)
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__doc__ = f"{kernel.summary}\n\n{_variants_help(variants)}"
    app = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=HELP)
    app.command(word, context_settings=HELP)(command)
    made = get_command(app)
    made.name = word
    return made


def _variants_help(variants: Sequence[Variant]) -> str:
    width = max(len(variant.name) for variant in variants)
    lines = [f"{v.name:<{width}}  {v.flynn:<7}  {v.idea}" for v in variants]
    return "\b\n" + "\n".join(["Variants:", *lines])
