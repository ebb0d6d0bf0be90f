"""``gpuplay new``: a commented kernel file that runs and checks at once."""

from __future__ import annotations

import keyword
from pathlib import Path

from gpuplay.errors import KernelFileError, UsageError
from gpuplay.kernel import refuse_bad_name

TEMPLATES = {"": "new_kernel.txt", "reduction": "new_reduction.txt"}  # what ``--with`` knows


def new(name: str, idea: str = "") -> int:
    """Write the file NAME.py, with the idea of one of the `TEMPLATES`, into the current folder."""
    try:
        refuse_bad_name("kernel", name)
    except KernelFileError as error:
        raise UsageError(f"new: {error}") from None
    if keyword.iskeyword(name):
        raise UsageError(f"new: {name!r} is a word of Python; choose another name")
    if idea not in TEMPLATES:
        known = ", ".join(filter(None, TEMPLATES))
        raise UsageError(f"new: --with {idea}: there is {known}, and without --with a kernel element by element")
    path, template = Path(f"{name}.py"), Path(__file__).with_name(TEMPLATES[idea])
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template.read_text(encoding="utf-8").replace("NAME", name))
    except FileExistsError:
        raise UsageError(f"new: {path} exists already; choose another name, or remove it first") from None
    except OSError as error:
        raise UsageError(f"new: {path} cannot be written: {error.strerror}; change to a folder of your own") from None
    print(f"wrote {path}\ntry:  gpuplay check ./{path}\n      gpuplay ./{path}")
    return 0
