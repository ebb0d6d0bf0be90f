"""Exceptions that a kernel's code raised, each in one line: its cause, and the line of the user's file."""

from __future__ import annotations

import linecache
import re
import traceback
from pathlib import Path

from gpuplay.catalog.origin import PACKAGE_DIR, kernels_dir

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
PREAMBLE = re.compile(r"Failed in \w+ mode pipeline")
PLACE = re.compile(r'^File "(?P<file>.+)", line (?P<line>\d+):$', re.MULTILINE)
DEFINED = re.compile(r"defined at (?P<file>\S+) \((?P<line>\d+)\)")
CALL = re.compile(r"^\s*>>> (?P<call>.+)$", re.MULTILINE)
NAMED = re.compile(r"(NameError|UnboundLocalError): ")


def one_line(error: BaseException) -> str:
    """The exception's type and what it says, with the place in the kernel that raised it."""
    text = COLOUR.sub("", str(error)).strip()
    if type(error).__module__.startswith("numba"):
        cause, kind = _cause(text), type(error).__name__
        return f"{cause if NAMED.match(cause) else f'{kind}: {cause}'}{_compiled_place(error, text) or _place(error)}"
    lines = text.splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}{_place(error)}"


def _cause(text: str) -> str:
    """What Numba's compiler objects to, out of the many lines that it writes."""
    said = [line.strip() for line in text.splitlines() if line.strip() and not PREAMBLE.match(line.strip())]
    cause = (said[0] if said else "no message").removesuffix(" Raised from None").rstrip(".:")
    call = CALL.search(text)
    if call and cause.endswith("found for signature"):
        return f"there is no {call['call'].strip()}"
    return DEFINED.sub(lambda found: f"defined at {Path(found['file']).name}:{found['line']}", cause)


def _compiled_place(error: BaseException, text: str) -> str:
    """The line that Numba's compiler was at, with its source; '' where it does not tell."""
    places, at = list(PLACE.finditer(text)), getattr(error, "loc", None)
    if places:
        last = places[-1]
        file, line = last["file"], int(last["line"])
        shown = text[last.end() :].partition("\n\n")[0].splitlines()
        caret = next((number for number, text in enumerate(shown) if text.strip() == "^"), 0)
        source = shown[caret - 1].strip() if caret else ""
    elif at is not None:
        file, line = at.filename, at.line
        source = linecache.getline(file, line).strip()
    else:
        return ""
    return f" ({Path(file).name}:{line}{f': {source}' if source else ''})"


def _place(error: BaseException) -> str:
    """The innermost line of the user's that the exception came through."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_users(frame.filename)]
    return f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""


def _is_users(filename: str) -> bool:
    ours = Path(filename).is_relative_to(PACKAGE_DIR) and not Path(filename).is_relative_to(kernels_dir())
    return not ours and "site-packages" not in filename and not filename.startswith("<")
