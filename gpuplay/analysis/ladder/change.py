"""What changes from one rung of a ladder to the next: the definitions that only one of the two uses."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gpuplay.catalog.definitions import Definition
from gpuplay.kernel import Variant


@dataclass(frozen=True)
class Change:
    """The step from one variant to another: unified diffs by file, what both use, what the source does not show."""

    below: Variant
    above: Variant
    diffs: tuple[tuple[str, ...], ...]
    shared: tuple[str, ...]
    remarks: tuple[str, ...]


def change(
    below: Variant, above: Variant, sources: Mapping[str, Sequence[Definition]], environments: Mapping[str, str]
) -> Change:
    """The step between two variants; ``sources`` and ``environments`` (what they are compiled for) by name."""
    old, new = sources[below.name], sources[above.name]
    both = {_key(one) for one in old} & {_key(one) for one in new}
    removed, added = ([one for one in part if _key(one) not in both] for part in (old, new))
    files = dict.fromkeys(one.file for one in (*added, *removed))
    diffs = (_diff(below.name, above.name, file, removed, added) for file in files)
    shared = (f"{one.file.stem}.{one.name}" for one in new if one.function and _key(one) in both)
    remarks = _remarks(below, above, environments, same=not files)
    return Change(below, above, tuple(diffs), tuple(shared), tuple(remarks))


def _key(one: Definition) -> tuple[Path, int]:
    return one.file, one.line


def _diff(
    old_name: str, new_name: str, file: Path, removed: Iterable[Definition], added: Iterable[Definition]
) -> tuple[str, ...]:
    """One file's part of a step, the file's name behind those of the variants."""
    old, new = ("\n\n".join(one.text for one in part if one.file == file).splitlines() for part in (removed, added))
    place = f"{file.parent.name}/{file.name}"
    return tuple(difflib.unified_diff(old, new, f"{old_name}  {place}", f"{new_name}  {place}", lineterm=""))


def _remarks(below: Variant, above: Variant, environments: Mapping[str, str], *, same: bool) -> list[str]:
    """What the source does not show: how it is compiled, and where it is the same, its knobs and threads."""
    said = []
    if environments[below.name] != environments[above.name]:
        plain = below if below.flynn == "SISD" else above
        said.append(f"{plain.name} is compiled without vector instructions: vectors of one lane, the vectorisers off")
    if same:
        old, new = below.default_knobs, above.default_knobs
        more = [knob for knob in new if knob not in old]
        said += [f"knob {knob}: {old[knob]} → {new[knob]}" for knob in new if knob in old and old[knob] != new[knob]]
        said += [f"{above.name} has the knobs {', '.join(more)}"] if more else []
        said += [f"threads: {below.threads} → {above.threads}"] if below.threads != above.threads else []
    return said
