"""The command line: a lazy group whose kernel commands are made from declarations when they are named."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from gpuplay import __version__
from gpuplay.catalog.find import bundled_kernels, find_kernel, plugin_kernels
from gpuplay.cli import kernel_commands, plain_commands
from gpuplay.errors import UsageError
from gpuplay.kernel import COMMANDS


class KernelGroup(TyperGroup):
    """Typer's group, with a command for every kernel; only the kernel that is named gets its options."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The kernels, then the commands."""
        kernels = [origin.name for origin in (*bundled_kernels(), *plugin_kernels())]
        return [*dict.fromkeys(kernels), *super().list_commands(ctx)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command by its name; of a kernel only the line that a list of commands needs."""
        known = {origin.name: origin for origin in (*bundled_kernels(), *plugin_kernels())}
        return kernel_commands.listed(known[cmd_name]) if cmd_name in known else super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command to run: any word that is no command of ours is a kernel's name or path."""
        later = set(COMMANDS) - {"run", *self.commands}
        if args[0] in later:
            raise UsageError(f"{args[0]!r} is kept for a later version; 'gpuplay --help' lists what there is")
        if args[0] in COMMANDS or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        made = kernel_commands.for_kernel(kernel_commands.RUN, find_kernel(args[0]), args[0])
        return args[0], made, args[1:]


app = typer.Typer(
    cls=KernelGroup,
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=False,
    context_settings=kernel_commands.HELP,
)


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
        from gpuplay.commands.list import welcome

        welcome()


for _row in kernel_commands.COMMANDS:
    kernel_commands.add_to(app, _row)
for _function in plain_commands.COMMANDS:
    app.command(_function.__name__.rstrip("_"))(_function)
