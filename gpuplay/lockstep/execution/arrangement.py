"""The order of a program's blocks, and which slots are still to be read where.

Blocks stand in an order in which a loop's blocks are contiguous and every join comes after what it joins, so
that executing the waiting block of the lowest number first brings diverged lanes together as early as the
source allows (the thread frontiers of Diamos et al., MICRO 2011; min-PC scheduling of Collange, 2011).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from numba.core.controlflow import CFGraph

from gpuplay.lockstep.execution.program import Block, Branch, Jump, Leave, Meet, Slot, Terminator


def arranged(blocks: list[Block], entry: int) -> list[Block]:
    """The reachable blocks in executing order, their targets renumbered, with liveness."""
    loops = _control_flow(blocks, entry)
    order = _order(blocks, entry, loops)
    number = {old: new for new, old in enumerate(order)}
    for header, body in _rotated(blocks, loops):
        inside = [number[node] for node in body]
        blocks[header].turns_at = min(inside), max(inside)
    result = [blocks[old] for old in order]
    for block in result:
        block.end = _renumbered(block.end, number)
    _add_liveness(result)
    return result


def _renumbered(end: Terminator | None, number: dict[int, int]) -> Terminator:
    match end:
        case Branch(condition, then, otherwise, place):
            return Branch(condition, number[then], number[otherwise], place)
        case Jump(target):
            return Jump(number[target])
        case Meet(scope, target, place, uses, finish):
            return Meet(scope, number[target], place, uses, finish)
    assert isinstance(end, Leave)
    return end


@dataclass(frozen=True)
class ControlFlow:
    """The graph of the reachable blocks: the body of each loop by its header, and each block's place in a walk."""

    bodies: dict[int, set[int]]
    depth: dict[int, int]


def _control_flow(blocks: list[Block], entry: int) -> ControlFlow:
    graph = CFGraph()
    reachable = _reachable(blocks, entry)
    for node in reachable:
        graph.add_node(node)
    for node in reachable:
        for target in blocks[node].targets:
            graph.add_edge(node, target)
    graph.set_entry_point(entry)
    graph.process()
    bodies = {header: set(loop.body) for header, loop in graph.loops().items()}
    return ControlFlow(bodies, {node: index for index, node in enumerate(graph.topo_order())})


def _rotated(blocks: list[Block], loops: ControlFlow) -> Iterator[tuple[int, set[int]]]:
    """Headers of loops that are one loop in the source, with all its blocks.

    Python compiles ``while`` with its test before the loop and once more at the end of its body; a ``continue``
    goes back to the first one, and makes a loop around the loop. Both tests stand on one line.
    """
    for outer, body in loops.bodies.items():
        test = blocks[outer].end
        for inner, within in loops.bodies.items():
            again = [blocks[node].end for node in within if inner in blocks[node].targets]
            lines = [end.place for end in again if isinstance(end, Branch)]
            if inner != outer and within < body and isinstance(test, Branch) and test.place in lines:
                yield outer, body
                yield inner, body


def _order(blocks: list[Block], entry: int, loops: ControlFlow) -> list[int]:
    """A topological order with every loop contiguous; of blocks that are ready, those first that reach no barrier."""
    meeting = _before_a_barrier(blocks)
    rank = {node: (node in meeting, depth) for node, depth in loops.depth.items()}
    return _flatten(blocks, set(rank), entry, loops.bodies, rank)


def _flatten(
    blocks: list[Block],
    region: set[int],
    header: int,
    loops: dict[int, set[int]],
    rank: dict[int, tuple[bool, int]],
) -> list[int]:
    """The region's blocks in order, inner loops taken as one block each."""
    owner = {node: node for node in region}
    inner = [h for h in loops if h != header and loops[h] <= region]
    outermost = [h for h in inner if not any(h != o and loops[h] < loops[o] for o in inner)]
    for h in outermost:
        owner.update(dict.fromkeys(loops[h], h))
    waits: dict[int, set[int]] = {unit: set() for unit in set(owner.values())}
    for node in region:
        for target in blocks[node].targets:
            if target in region and target != header and owner[target] != owner[node]:
                waits[owner[target]].add(owner[node])
    done: list[int] = []
    placed: set[int] = set()
    while waits:
        ready = [unit for unit, before in waits.items() if before <= placed] or list(waits)
        unit = min(ready, key=lambda unit: rank[unit])
        del waits[unit]
        placed.add(unit)
        done += _flatten(blocks, loops[unit], unit, loops, rank) if unit in outermost else [unit]
    return done


def _reachable(blocks: list[Block], start: int) -> list[int]:
    seen, waiting = {start}, [start]
    while waiting:
        for target in blocks[waiting.pop()].targets:
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return sorted(seen)


def _before_a_barrier(blocks: list[Block]) -> set[int]:
    """The blocks from which a barrier can be reached: backward from the barriers."""
    sources: dict[int, list[int]] = {}
    for number, block in enumerate(blocks):
        for target in block.targets:
            sources.setdefault(target, []).append(number)
    waiting = [number for number, block in enumerate(blocks) if isinstance(block.end, Meet)]
    found = set(waiting)
    while waiting:
        fresh = set(sources.get(waiting.pop(), ())) - found
        found |= fresh
        waiting += fresh
    return found


def _add_liveness(blocks: list[Block]) -> None:
    """Which slots each block, or one after it, reads before it is set: backward, until nothing changes."""
    live: list[frozenset[Slot]] = [frozenset()] * len(blocks)
    changed = True
    while changed:
        changed = False
        for number in range(len(blocks) - 1, -1, -1):
            block = blocks[number]
            after: Iterable[Slot] = frozenset().union(*(live[target] for target in block.targets))
            before = frozenset(block.uses | (set(after) - block.defs))
            if before != live[number]:
                live[number], changed = before, True
    for block, slots in zip(blocks, live, strict=True):
        block.live_in = slots
