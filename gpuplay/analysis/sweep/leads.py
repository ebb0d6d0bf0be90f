"""Sentences on who leads from which size on, and where variants overtake the baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from gpuplay.analysis.sweep.crossover import Crossover, Lead, leader, overtakes
from gpuplay.analysis.sweep.grid import Grid, Line
from gpuplay.analysis.sweep.ratios import timed

Name = Callable[[int], str]
MOST_GROUPS = 4
MOST_TIES = 2


def leads(grid: Grid, name: Name) -> list[str]:
    """Who is the fastest, and who overtakes the baseline where; groups of lines that read alike are said once."""
    said: dict[str, list[tuple[str, ...]]] = {}
    for axes, lines in grid.groups():
        text = " ".join(_group(grid, lines, name))
        if text:
            said.setdefault(text, []).append(axes)
    if len(said) > MOST_GROUPS:
        return []
    if len(said) == 1 and len(next(iter(said.values()))) == len(grid.groups()):
        return list(said)
    return [f"{_where(grid, axes)}: {text}" for text, axes in said.items()]


def _group(grid: Grid, lines: Sequence[Line], name: Name) -> Iterator[str]:
    """The sentences on lines that differ only in size."""
    base = grid.baseline if grid.baseline not in (None, "best") else None
    found = leader(grid, lines)
    if found:
        yield _leading(found, grid, lines, base, name)
    subject = found.names[0] if found and len(found.names) == 1 else ""
    throughout = subject if found and found.crossover.kind == "always" else ""
    for column in grid.columns:
        if base is None or column.name == base or not column.variant.kind.on_gpu:
            continue
        alone = overtakes(lines, column.name, base)
        copies = overtakes(lines, column.name, base, copies=True)
        if alone is None or copies is None:
            continue
        if column.name == throughout and alone.kind == copies.kind == "always":
            continue  # leading everywhere says it already
        who, subject = "It" if column.name == subject else column.name, column.name
        copied = has_copies(lines, column.name)
        yield f"{who} {_both(alone, copies, base, name) if copied else _overtaking(alone, base, name)}."


def _leading(found: Lead, grid: Grid, lines: Sequence[Line], base: str | None, name: Name) -> str:
    """Who leads since when; in one sentence with where it overtook the baseline, if that is when it began."""
    first = found.names[0] if found.names else ""
    if base and len(found.names) == 1 and first != base and not has_copies(lines, first):
        over = overtakes(lines, first, base)
        unsure = over and (over.open or found.crossover.open)
        if over and not unsure and over.kind == found.crossover.kind == "from":
            return f"{first} {_overtaking(over, base, name)}{_and_leads(over, found.crossover, name)}."
    text = _lead(found, name) + _lead_with_copies(found, grid, lines, name) + "."
    return text if found.names else text[0].upper() + text[1:]


def _where(grid: Grid, groups: Sequence[tuple[str, ...]]) -> str:
    """'function relu, gelu' where one axis varies, else every group in full."""
    if len(grid.axes) == 1:
        return f"{grid.axes[0]} {', '.join(axes[0] for axes in groups)}"
    return "; ".join(", ".join(f"{axis} {v}" for axis, v in zip(grid.axes, axes, strict=True)) for axes in groups)


def _lead(found: Lead, name: Name) -> str:
    if not found.names:
        return f"which one leads at n = {_listed(found.crossover.open, name)} is uncertain"
    *others, last = found.names
    who = f"{', '.join(others)} and {last}" if others else last
    return f"{who} {'share the lead' if others else 'leads'} {_since(found.crossover, name, shared=bool(others))}"


def _since(cross: Crossover, name: Name, *, shared: bool = False) -> str:
    """'from n = 512 on', with the ties on the way unless the lead is ``shared``, and where it is uncertain."""
    but = "" if shared else _but(cross, name)
    if cross.kind == "always" and cross.first != cross.last:
        return f"at every {'other ' if cross.open else ''}size measured{but}{_unsure(cross, name)}"
    if cross.kind == "from" and cross.first != cross.last:
        return f"from n = {name(cross.first)} on{but}{_unsure(cross, name)}"
    alone = cross.first == cross.last and cross.after is None
    largest = "" if alone or max(cross.open, default=0) > cross.last else ", the largest size"
    return f"at n = {name(cross.last)}{largest}{_unsure(cross, name)}"


def _unsure(cross: Crossover, name: Name) -> str:
    """The sizes at which the order is uncertain; as an exception where the clause before speaks of them."""
    if not cross.open:
        return ""
    where = f"at n = {_listed(cross.open, name)}"
    if cross.kind == "from" and cross.first != cross.last and max(cross.open) > cross.first:
        return f", except where it is uncertain: {where}"
    return f" (uncertain {where})"


def _listed(sizes: Sequence[int], name: Name) -> str:
    return ", ".join(map(name, sizes))


def _but(cross: Crossover, name: Name) -> str:
    if not cross.ties:
        return ""
    if len(cross.ties) > MOST_TIES:
        return ", often tied"
    return f" but for {'a tie' if len(cross.ties) == 1 else 'ties'} at n = {', '.join(map(name, cross.ties))}"


def _and_leads(over: Crossover, lead: Crossover, name: Name) -> str:
    return " and leads from there on" if over.first == lead.first else f" and leads {_since(lead, name)}"


def _lead_with_copies(found: Lead, grid: Grid, lines: Sequence[Line], name: Name) -> str:
    """How the lead stands when copies to the GPU and back count; empty where nothing was copied."""
    if not any(has_copies(lines, column.name) for column in grid.columns):
        return ""
    copied = leader(grid, lines, copies=True)
    if copied is None or copied == found:
        return ", kernel alone or with copies"
    if copied.names == found.names and found.names:
        return f" (kernel alone), with copies {_since(copied.crossover, name)}"
    return f" (kernel alone); with copies {_lead(copied, name)}"


def _both(alone: Crossover, copies: Crossover, base: str, name: Name) -> str:
    """Both crossovers of a variant whose arrays have to be copied."""
    first, second = _overtaking(alone, base, name), _overtaking(copies, base, name)
    if first == second:
        return f"{first}, kernel alone or with copies"
    return f"{first} (kernel alone); with copies it {second}"


def _overtaking(cross: Crossover, base: str, name: Name) -> str:
    if cross.kind == "uncertain":
        return f"may or may not beat {base}: the order at n = {_listed(cross.open, name)} is uncertain"
    between = (cross.after or 0, cross.first) if cross.kind in ("from", "level") else (0, 0)
    rest = tuple(size for size in cross.open if not between[0] < size < between[1])
    return _certainly(cross, base, name) + _unsure(replace(cross, open=rest), name)


def _certainly(cross: Crossover, base: str, name: Name) -> str:
    """The crossover over the sizes at which the order is certain."""
    every = f"at every {'other ' if cross.open else ''}size measured"
    if cross.kind == "from":
        return f"overtakes {base} between n = {name(cross.after or 0)} and {name(cross.first)}"
    if cross.kind == "level":
        return f"draws level with {base} between n = {name(cross.after or 0)} and {name(cross.first)}"
    if cross.kind == "lost":
        beyond = max(cross.open, default=0) > cross.last
        return f"is behind {base} at n = {name(cross.last)}{'' if beyond else ', the largest size'}"
    if cross.kind == "never" and cross.first != cross.last:
        return f"stays behind {base} up to n = {name(cross.last)}"
    sizes = f"at n = {name(cross.last)}" if cross.first == cross.last else f"{every}{_but(cross, name)}"
    if cross.kind == "tied":
        return f"ties {base} {sizes.partition(' but')[0].partition(',')[0]}"
    return f"{'is behind' if cross.kind == 'never' else 'beats'} {base} {sizes}"


def has_copies(lines: Sequence[Line], variant: str) -> bool:
    """Whether a variant's arrays had to be copied to it."""
    results = (line.result(variant) for line in lines)
    return any(r is not None and timed(r) and r.transfer is not None for r in results)
