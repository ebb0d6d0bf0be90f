"""``--map``: which lane of one warp touches which word of a sector, or which bank, drawn from its addresses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from gpuplay.analysis.counters.explanation import Explanation
from gpuplay.analysis.counters.patterns import pattern
from gpuplay.analysis.counters.wording import access
from gpuplay.lockstep.record import BANK_BYTES, BANKS, SECTOR_BYTES, WARP, WarpMap
from gpuplay.units import count
from gpuplay.views.text.layout import GAP, Column, Entry, blocks, column, join, stack, wrap

UNTOUCHED = "·"
MOST_GAPS = 4  # more of them would only double the rows, whose bytes tell as much
_STYLES = ("cyan", "magenta")  # quarter-warps in turn, so that neighbours are told apart


def render(found: Explanation, maps: Sequence[WarpMap], width: int) -> Text:
    """One drawing for each map, the worst request of its line and array."""
    lines: list[Text] = []
    for drawn in maps:
        lines += [*([Text()] if lines else []), *_heading(found, drawn, width), Text()]
        lines += _sectors(drawn, width) if drawn.space == "global" else _banks(drawn, width)
    return stack(lines)


def _heading(found: Explanation, drawn: WarpMap, width: int) -> list[Text]:
    cost = count(drawn.cost, "sector" if drawn.space == "global" else "wavefront")
    cost += f", {drawn.ideal} would do" if drawn.cost > drawn.ideal else ", the least possible"
    active = sum(address is not None for address in drawn.addresses)
    text = f"{found.where(drawn.place)}: {access(drawn)}: {cost}"
    head = [Text(line.plain, style="bold") for line in wrap(text, width)]
    known = pattern(drawn)
    step = f", {known.step:+d} bytes from lane to lane" if known.step else ""
    about = (
        f"the warp of {drawn.thread}, {active} of {WARP} lanes active, {drawn.width} bytes each{step} "
        f"({known.kind}); the worst request of this line and array"
    )
    return [*head, *wrap(about, width)]


# --- global memory: rows of sectors ---


def _sectors(drawn: WarpMap, width: int) -> list[Text]:
    """A row for each sector touched, a cell for each word or element, the lanes in the cells."""
    cell = max(BANK_BYTES, drawn.width if SECTOR_BYTES % drawn.width == 0 else BANK_BYTES)
    touched: dict[int, dict[int, list[int]]] = {}
    for lane, address in _active(drawn):
        start = address + drawn.offset
        for at in range(start // cell * cell, start + drawn.width, cell):
            touched.setdefault(at // SECTOR_BYTES, {}).setdefault(at % SECTOR_BYTES // cell, []).append(lane)
    rows = _with_gaps(sorted(touched))
    offsets = [Entry(("⋮" if row is None else str(row * SECTOR_BYTES - drawn.offset),)) for row in rows]
    columns = [
        column(
            [f"+{place * cell}"], [_cell(touched[row].get(place, [])) if row is not None else Entry() for row in rows]
        )
        for place in range(SECTOR_BYTES // cell)
    ]
    what = (
        f"each row is a sector of {SECTOR_BYTES} bytes, beginning at that byte of {drawn.array}; "
        f"in its cells of {cell} bytes the lanes that touch them"
    )
    return [*wrap(what, width, first="  "), Text(), *_blocks("byte", offsets, columns, width)]


def _with_gaps(sectors: Sequence[int]) -> list[int | None]:
    """None where sectors are left out between two others, as long as such places are few."""
    rows: list[int | None] = []
    for before, sector in zip((None, *sectors), sectors, strict=False):
        if before is not None and sector != before + 1:
            rows.append(None)
        rows.append(sector)
    return rows if rows.count(None) <= MOST_GAPS else list(sectors)


# --- shared memory: wavefronts over banks ---


def _banks(drawn: WarpMap, width: int) -> list[Text]:
    """A row for each wavefront, a cell for each bank, the lanes that it serves there in the cells."""
    waves = list(_wavefronts(drawn))
    entries = [Entry((str(number),)) for number in range(1, len(waves) + 1)]
    columns = [column([str(bank)], [_cell(wave.get(bank, [])) for wave in waves]) for bank in range(BANKS)]
    used = [any(wave.get(bank) for wave in waves) for bank in range(BANKS)]
    idle = [bank for bank in range(BANKS) if not used[bank]]
    what = f"each row is a wavefront, each column a bank of {BANK_BYTES} bytes; in the cells the lanes served"
    if len(idle) > BANKS // 4:
        columns = [columns[bank] for bank in range(BANKS) if used[bank]]
        what += f"; {len(idle)} of {BANKS} banks are idle and left out"
    return [*wrap(what, width, first="  "), Text(), *_blocks("pass", entries, columns, width)]


def _wavefronts(drawn: WarpMap) -> Iterator[dict[int, list[int]]]:
    """What each pass over the banks serves: lanes by bank; 64- and 128-bit accesses go by half- and quarter-warps."""
    phases = max(1, min(4, drawn.width // BANK_BYTES))
    lanes_of_phase = WARP // phases
    for phase in range(phases):
        words: dict[int, dict[int, list[int]]] = {}
        for lane, address in _active(drawn):
            if lane // lanes_of_phase == phase:
                start = address + drawn.offset
                for word in range(start // BANK_BYTES, (start + drawn.width - 1) // BANK_BYTES + 1):
                    words.setdefault(word % BANKS, {}).setdefault(word, []).append(lane)
        for turn in range(max(map(len, words.values()), default=0)):
            yield {bank: list(found.values())[turn] for bank, found in words.items() if turn < len(found)}


# --- both ---


def _blocks(name: str, leading: Sequence[Entry], columns: Sequence[Column], width: int) -> list[Text]:
    """The columns in as many blocks as the width asks for, each beginning with the rows' names."""
    first = column([name], leading, units=False)
    lines: list[Text] = []
    for block in _even(first, columns, width - 2):
        lines += [*([Text()] if lines else []), *join(block, 2)]
    return lines


def _even(first: Column, columns: Sequence[Column], width: int) -> Iterable[list[Column]]:
    """Blocks of equal numbers of columns, a power of two, as wide as fits."""
    size = len(columns)
    while size > 8 and first.width + sum(GAP + one.width for one in columns[:size]) > width:
        size = -(-size // 2)
    for start in range(0, len(columns), size):
        yield from blocks([first], columns[start : start + size], width)


def _cell(lanes: Sequence[int]) -> Entry:
    """'7', '0–31', '0,8'; '8 lanes' where they are many and apart; a dot where no lane is."""
    if not lanes:
        return Entry((UNTOUCHED,), style="dim")
    first, last = lanes[0], lanes[-1]
    style = _STYLES[first // 8 % 2]
    if len(lanes) == 1:
        return Entry((str(first),), style=style)
    if last - first + 1 == len(lanes):
        return Entry((f"{first}–{last}",), style=style)
    return Entry((",".join(map(str, lanes)) if len(lanes) == 2 else f"{len(lanes)} lanes",), style=style)


def _active(drawn: WarpMap) -> Iterator[tuple[int, int]]:
    """Active lanes with their addresses."""
    return ((lane, address) for lane, address in enumerate(drawn.addresses) if address is not None)
