"""``gpuplay check --watch``: the first failure on top, the table below, cut to the screen."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from gpuplay.kernel import Kernel
from gpuplay.results.result import Result
from gpuplay.views.check import page
from gpuplay.views.text.layout import stack, wrap

FOOTER_LINES = 3  # a blank line, the footer, and the cursor's own


def render(kernel: Kernel, results: Sequence[Result], width: int, height: int | None) -> Text:
    """The check's page, its failures in front; ``height`` lines of it at most, None for all."""
    first = page.failures(kernel, results, width)
    table = page.render(kernel, results, width, failures_too=False).split("\n")
    lines = [*first, *([Text()] if first else []), *table]
    if height is not None and len(lines) > height:
        hidden = len(lines) - height + 1
        lines = [*lines[: height - 1], Text(f"… {hidden} more lines: gpuplay check without --watch", style="dim")]
    return stack(lines)


def refusal(message: str, width: int) -> Text:
    """What stands in the way of a check: a syntax error, a declaration that is none."""
    lines = wrap(f"gpuplay: {message}", width, rest="  ")
    return stack([Text(line.plain, style="bold red") for line in lines])


def footer(name: str, clock: str, code: int, width: int) -> Text:
    """When this check ended, how, and how to end the watch."""
    verdict = Text("all right", "green") if code == 0 else Text("not right", "bold red")
    line = Text.assemble(f"{clock}  ", verdict, f"  watching {name}; Ctrl-C ends")
    return stack([Text(), line if line.cell_len <= width else Text(f"{clock}  watching {name}")])
