"""``gpuplay new``: a commented kernel file that runs and checks at once."""

from __future__ import annotations

import keyword
from pathlib import Path

from gpuplay.errors import KernelFileError, UsageError
from gpuplay.kernel import refuse_bad_name

TEMPLATE = Path(__file__).with_name("new_kernel.txt")


def new(name: str) -> int:
    """Write the file NAME.py into the current folder."""
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
    print(f"wrote {path}\ntry:  gpuplay check ./{path}\n      gpuplay ./{path}")
    return 0
