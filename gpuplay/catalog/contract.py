"""What Python says of a declaration that breaks the contract, in the words of the contract."""

from __future__ import annotations

import re
from dataclasses import fields

from gpuplay.errors import closest
from gpuplay.kernel import Array, Cost, Kernel, Knob, Param, Probe, Variant

DECLARED = {kind.__name__: kind for kind in (Kernel, Variant, Array, Cost, Param, Knob, Probe)}
UNKNOWN = re.compile(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'")
BY_PLACE = re.compile(r"(\w+)\.__init__\(\) takes 1 positional argument but")
MISSING = re.compile(r"(\w+)\.__init__\(\) missing \d+ required (?:positional|keyword-only) arguments?: (.+)")


def in_words(error: BaseException) -> str:
    """A TypeError of a declaration told by its fields; '' for anything else."""
    text = str(error) if isinstance(error, TypeError) else ""
    if (found := UNKNOWN.search(text)) and found[1] in DECLARED:
        known = [field.name for field in fields(DECLARED[found[1]])]
        near = closest(found[2], known)
        hint = f"did you mean {near}?" if near else f"it has {', '.join(known)}"
        return f"{found[1]} has no field {found[2]!r}; {hint}"
    if (found := BY_PLACE.search(text)) and found[1] in DECLARED:
        return f"{found[1]} takes its fields by name, as in {found[1]}(name=…, summary=…)"
    if (found := MISSING.search(text)) and found[1] in DECLARED:
        return f"{found[1]} lacks {found[2]}"
    return ""
