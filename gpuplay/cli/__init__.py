"""The command line. `main` is the one place that turns gpuplay's errors into a message and an exit code."""

from __future__ import annotations

import io
import os
import sys
import traceback

INTERRUPTED = 130


def main() -> None:
    """Run the command line of this process and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(argv: list[str]) -> int:
    """Run one command line; the exit code, its message printed to stderr."""
    from gpuplay.cli.app import app
    from gpuplay.errors import GpuplayError

    _make_printable()
    if argv[:1] == ["help"]:
        argv = [*argv[1:], "--help"]
    try:
        app(args=argv, prog_name="gpuplay")
    except GpuplayError as error:
        if "--debug" in argv:
            traceback.print_exc()
        print(f"gpuplay: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        return _unprintable(error)
    except KeyboardInterrupt:
        print("gpuplay: interrupted", file=sys.stderr)
        return INTERRUPTED
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    return 0


def _make_printable() -> None:
    """Let ◂ and ≈ be printed where the terminal's encoding has none: Windows takes UTF-8, others a question mark.

    A terminal that says it has no columns has not been asked: as many as usual, then.
    """
    if os.environ.get("COLUMNS") == "0":
        del os.environ["COLUMNS"]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not stream.encoding.lower().startswith("utf"):
            stream.reconfigure(encoding="utf-8" if os.name == "nt" else None, errors="replace")


def _unprintable(error: OSError) -> int:
    """Exit code where stdout broke: a closed pipe ends quietly, a full disk is said."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still buffered has nowhere to go
    if not isinstance(error, BrokenPipeError):
        print(f"gpuplay: {error}", file=sys.stderr)
    return 1
