"""A kernel's command, made from its declaration when the kernel is named."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import typer
from typer.main import get_command

from gpuplay.catalog.load import load_kernel
from gpuplay.catalog.origin import Origin
from gpuplay.cli import options
from gpuplay.errors import KernelFileError
from gpuplay.kernel import Kernel, Variant

KERNELS_PANEL, PLUGINS_PANEL = "Kernels", "Kernels from installed packages"


def kernel_command(origin: Origin, word: str) -> Any:
    """The command of one kernel, its options those of the declaration."""
    from gpuplay.cli.session import Session

    session = Session.of(origin)

    def command(**values: Any) -> None:
        with session:
            raise typer.Exit(session.sweep(values))

    kernel = session.kernel
    return _made(command, kernel, word, options.of_kernel(kernel), kernel.variants)


def explain_command(origin: Origin, word: str) -> Any:
    """``explain`` for one kernel, its options those of the declaration."""
    from gpuplay.cli.explaining import explain
    from gpuplay.cli.session import Session

    session = Session.of(origin)

    def command(**values: Any) -> None:
        with session:
            raise typer.Exit(explain(session, values))

    kernel = session.kernel
    shown = [variant for variant in kernel.variants if variant.target == "cuda"]
    return _made(command, kernel, word, options.of_explain(kernel), shown or kernel.variants)


def code_command(origin: Origin, word: str) -> Any:
    """``code`` for one kernel, its options those of the declaration."""
    from gpuplay.cli.coding import code
    from gpuplay.cli.session import Session

    session = Session.of(origin)

    def command(**values: Any) -> None:
        with session:
            raise typer.Exit(code(session, values))

    kernel = session.kernel
    return _made(command, kernel, word, options.of_code(kernel), kernel.variants)


def ladder_command(origin: Origin, word: str) -> Any:
    """``ladder`` for one kernel, its options those of the declaration."""
    from gpuplay.cli.ladder import climb
    from gpuplay.cli.session import Session

    session = Session.of(origin)

    def command(**values: Any) -> None:
        with session:
            raise typer.Exit(climb(session, values))

    kernel = session.kernel
    improved = {variant.improves_on for variant in kernel.variants}
    shown = [variant for variant in kernel.variants if variant.improves_on or variant.name in improved]
    return _made(command, kernel, word, options.of_ladder(kernel), shown or kernel.variants)


def _made(command: Any, kernel: Kernel, word: str, known: Iterable[options.Option], variants: Sequence[Variant]) -> Any:
    parameters = [option.parameter() for option in known]
    command.__signature__ = inspect.Signature(parameters)
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__doc__ = f"{kernel.summary}\n\n{_variants_help(variants)}"
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(word)(command)
    made = get_command(app)
    made.name = word
    return made


def _variants_help(variants: Sequence[Variant]) -> str:
    width = max(len(variant.name) for variant in variants)
    lines = [f"{v.name:<{width}}  {v.flynn:<7}  {v.idea}" for v in variants]
    return "\b\n" + "\n".join(["Variants:", *lines])


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
