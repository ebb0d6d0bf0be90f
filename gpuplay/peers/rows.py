"""What gpuplay promises against the libraries, and how rows are chosen by name."""

from __future__ import annotations

from collections.abc import Mapping

from gpuplay.errors import UsageError, closest
from gpuplay.peers.device import ROWS as DEVICE
from gpuplay.peers.host import ROWS as HOST
from gpuplay.peers.terms import Promise

ROWS: Mapping[str, tuple[Promise, ...]] = {"cpu": HOST, "cuda": DEVICE}


def chosen_rows(rows: tuple[Promise, ...], text: str | None) -> tuple[Promise, ...]:
    """The rows that ``--rows`` names, in the order of the table: a name without its colon means all that share it."""
    if text is None:
        return rows
    found: set[str] = set()
    for word in (w.strip() for w in text.split(",")):
        matches = {row.name for row in rows if word in (row.name, row.group)}
        if not matches:
            known = [*dict.fromkeys(row.group for row in rows), *(row.name for row in rows if ":" in row.name)]
            close = closest(word, known)
            hint = f" (did you mean {close}?)" if close else ""
            raise UsageError(f"--rows {text}: no row {word!r}{hint}; there are {', '.join(known)}")
        found |= matches
    return tuple(row for row in rows if row.name in found)
