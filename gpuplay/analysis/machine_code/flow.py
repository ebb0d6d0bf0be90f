"""Loops in a listing of machine code, whatever the machine: control flow, dominators, natural loops.

A loop is what an edge back to a dominating instruction closes (Aho, Lam, Sethi, Ullman, "Compilers", 2nd
edition, 9.6), so that a slow path that stands behind the end of its function is none. Dominators are found
by the iteration of Cooper, Harvey and Kennedy ("A Simple, Fast Dominance Algorithm", 2001).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TURNS = 8  # a loop is taken to turn this often for each turn of the loop around it: nothing was run


@dataclass(frozen=True)
class Instruction:
    """One instruction. ``targets`` are positions that it may jump to; ``falls`` where the next may follow it."""

    mnemonic: str
    text: str
    targets: tuple[int, ...] = ()
    falls: bool = True


@dataclass(frozen=True)
class Loop:
    """A natural loop: positions of all its instructions, and of its ``own``, which are in no loop within it.

    ``depth`` counts the loops around an instruction of its own, this one included.
    """

    head: int
    members: frozenset[int]
    own: tuple[int, ...]
    depth: int


def loops(code: Sequence[Instruction]) -> tuple[Loop, ...]:
    """All natural loops of more than one instruction, by their heads; loops of one head are one."""
    blocks = _blocks(code)
    starts = {block.start: number for number, block in enumerate(blocks)}
    after = [[starts[p] for p in _next(code, block[-1]) if p in starts] for block in blocks]
    before: list[list[int]] = [[] for _ in blocks]
    order, parents = _ordered(after)
    for number in order:
        for follower in after[number]:
            before[follower].append(number)
    dominators = _dominators(order, before, parents)
    found: dict[int, set[int]] = {}
    for number in order:
        for head in after[number]:
            if _dominates(head, number, dominators):
                found.setdefault(head, {head}).update(_body(head, number, before))
    bodies = {head: {p for number in body for p in blocks[number]} for head, body in found.items()}
    return tuple(
        _loop(blocks[head].start, members, list(bodies.values()))
        for head, members in sorted(bodies.items())
        if len(members) > 1
    )


def _loop(head: int, members: set[int], bodies: Sequence[set[int]]) -> Loop:
    inner = set().union(*(body for body in bodies if body < members))
    depth = sum(members <= body for body in bodies)
    return Loop(head, frozenset(members), tuple(sorted(members - inner)), depth)


def _next(code: Sequence[Instruction], position: int) -> list[int]:
    """Where the instruction at a position may lead."""
    one = code[position]
    return [*one.targets, *([position + 1] if one.falls and position + 1 < len(code) else [])]


def _blocks(code: Sequence[Instruction]) -> list[range]:
    """Stretches that are entered at their beginning and left at their end only."""
    begins = {0} | {target for one in code for target in one.targets}
    begins |= {position + 1 for position, one in enumerate(code) if one.targets or not one.falls}
    starts = sorted(position for position in begins if position < len(code))
    return [range(a, b) for a, b in zip(starts, [*starts[1:], len(code)], strict=True)]


def _ordered(after: Sequence[Sequence[int]]) -> tuple[list[int], dict[int, int]]:
    """Blocks in reverse postorder, and the root of each search: what no jump reaches is called from elsewhere."""
    postorder: list[int] = []
    roots: dict[int, int] = {}
    seen: set[int] = set()
    for root in range(len(after)):
        if root in seen:
            continue
        roots[root] = root
        seen.add(root)
        waiting = [(root, iter(after[root]))]
        while waiting:
            number, followers = waiting[-1]
            following = next((f for f in followers if f not in seen), None)
            if following is None:
                postorder.append(number)
                waiting.pop()
            else:
                seen.add(following)
                waiting.append((following, iter(after[following])))
    return postorder[::-1], roots


def _dominators(order: Sequence[int], before: Sequence[Sequence[int]], roots: Mapping[int, int]) -> dict[int, int]:
    """The immediate dominator of every block; a root's is itself."""
    place = {number: i for i, number in enumerate(order)}
    found = dict(roots)

    def meet(a: int, b: int) -> int | None:
        while a != b:
            if place[a] < place[b]:
                a, b = b, a
            if found[a] == a:
                return None  # reached from two roots: nothing dominates it
            a = found[a]
        return a

    changed = True
    while changed:
        changed = False
        for number in order:
            if number in roots:
                continue
            known = [p for p in before[number] if p in found]
            new: int | None = known[0]
            for other in known[1:]:
                new = meet(new, other) if new is not None else None
            dominator = number if new is None else new
            if found.get(number) != dominator:
                found[number] = dominator
                changed = True
    return found


def _dominates(a: int, b: int, dominators: Mapping[int, int]) -> bool:
    while b != a and dominators[b] != b:
        b = dominators[b]
    return a == b


def _body(head: int, tail: int, before: Sequence[Sequence[int]]) -> set[int]:
    """All blocks from which the tail can be reached without passing the head."""
    found, waiting = {head}, [tail]
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            waiting += before[number]
    return found
