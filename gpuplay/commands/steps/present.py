"""What stands at a command's end: a document or pages on stdout, and the exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable

from rich.console import Console
from rich.text import Text

from gpuplay.commands.asked import Output
from gpuplay.results.result import Result
from gpuplay.views.text.layout import show
from gpuplay.workers.crew import ORDINARY, Crew

OK, FAILED, INTERRUPTED = 0, 1, 130

Pages = Callable[[int], Iterable[Text]]


def present(output: Output, document: Callable[[], object], pages: Pages) -> None:
    """Print the document as JSON where that is asked for, else the pages, laid out for the width of stdout."""
    if output.json:
        print(json.dumps(document(), indent=1, allow_nan=False))
    else:
        show_pages(output, pages)
    sys.stdout.flush()


def show_pages(output: Output, pages: Pages) -> None:
    """Print pages one below the other."""
    stdout = Console(no_color=output.plain or None)
    for page in pages(stdout.width):
        show(stdout, page)


def show_log(output: Output, crew: Crew) -> None:
    """With ``--debug``, print to stderr what the ordinary worker printed."""
    if output.debug:
        print(crew.log_tail(ORDINARY), file=sys.stderr)


def exit_code(results: Iterable[Result], *, interrupted: bool = False) -> int:
    """0 where every cell was measured, verified or skipped with a reason; 1 where one is wrong or failed."""
    if interrupted:
        return INTERRUPTED
    return FAILED if any(result.status in ("wrong", "failed") for result in results) else OK
