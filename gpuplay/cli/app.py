"""The command line: a lazy group whose kernel commands are made from declarations when they are named."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from gpuplay import __version__, catalog
from gpuplay.cli import options
from gpuplay.errors import KernelFileError
from gpuplay.kernel import COMMANDS, Kernel

KERNELS_PANEL, PLUGINS_PANEL = "Kernels", "Kernels from installed packages"


class KernelGroup(TyperGroup):
    """Typer's group, with a command for every kernel; only the kernel that is named gets its options."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The kernels, then the commands."""
        kernels = [origin.name for origin in (*catalog.bundled(), *catalog.plugins())]
        return [*dict.fromkeys(kernels), *super().list_commands(ctx)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command by its name; of a kernel only the line that a list of commands needs."""
        listed = {origin.name: origin for origin in (*catalog.bundled(), *catalog.plugins())}
        return _listed(listed[cmd_name]) if cmd_name in listed else super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command to run: any word that is no command of ours is a kernel's name or path."""
        if args[0] in COMMANDS or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        return args[0], kernel_command(catalog.find(args[0]), args[0]), args[1:]


def kernel_command(origin: catalog.Origin, word: str) -> Any:
    """The command of one kernel, its options those of the declaration."""
    from gpuplay.cli.session import Session

    session = Session.of(origin)

    def command(**values: Any) -> None:
        with session:
            raise typer.Exit(session.sweep(values))

    return _made(command, session.kernel, word)


def _made(command: Any, kernel: Kernel, word: str) -> Any:
    parameters = [option.parameter() for option in options.of_kernel(kernel)]
    command.__signature__ = inspect.Signature(parameters)
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__doc__ = f"{kernel.summary}\n\n{_variants_help(kernel)}"
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(word)(command)
    made = get_command(app)
    made.name = word
    return made


def _variants_help(kernel: Kernel) -> str:
    width = max(len(variant.name) for variant in kernel.variants)
    lines = [f"{v.name:<{width}}  {v.flynn:<7}  {v.idea}" for v in kernel.variants]
    return "\b\n" + "\n".join(["Variants:", *lines])


def _listed(origin: catalog.Origin) -> Any:
    """A command that has only a name and a line: plugins are not imported for a list."""
    app = typer.Typer(add_completion=False)
    panel, text = KERNELS_PANEL, "from an installed package"
    if origin.kind == "bundled":
        try:
            text = catalog.load(origin).kernel.summary
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


app = typer.Typer(cls=KernelGroup, add_completion=False, rich_markup_mode=None, no_args_is_help=False)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"gpuplay {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    ctx: typer.Context,
    version: Annotated[  # noqa: ARG001 - handled by its callback
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Why neural-network arithmetic runs so well on parallel hardware, measured on your machine.

    gpuplay KERNEL --sizes 256..8192 runs a kernel's variants and shows how they compare as n grows.
    gpuplay KERNEL --help shows its params, knobs and variants. KERNEL may be a path: ./mine.py.
    """
    if ctx.invoked_subcommand is None:
        from gpuplay.cli.commands import welcome

        welcome()
