"""What every command says of itself, as the page docs/commands.md. Run it to write the page anew:

python tests/helps.py
"""

from __future__ import annotations

import os
import subprocess
import sys

from places import DOCS

PAGE = DOCS / "commands.md"
COMMANDS = (
    *("", "matmul", "run", "list", "new", "check", "explain", "explain matmul", "code", "code matmul"),
    *("ladder", "ladder matmul", "peers", "doctor"),
)
HEAD = """# Commands

What every command says of itself; a test keeps this page. A kernel's own command, and `explain`, `code` and `ladder`
of a kernel, have that kernel's params and knobs: here those of `matmul`.
"""


def said(command: str) -> str:
    """The help of a command, laid out for 100 columns."""
    environment = os.environ | {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    words = [sys.executable, "-m", "gpuplay", *command.split(), "--help"]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=True)
    return "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines())


def page() -> str:
    """The whole page."""
    parts = [f"## `{f'gpuplay {command}'.strip()}`\n\n```\n{said(command)}\n```\n" for command in COMMANDS]
    return "\n".join([HEAD, *parts])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
