"""Races of one statement with itself, read off its source: no barrier can stand inside of it."""

from __future__ import annotations

import ast
import linecache
from typing import TYPE_CHECKING

from gpuplay.lockstep.memory import shadow

if TYPE_CHECKING:
    from gpuplay.lockstep.memory.sites import Site


def by_one_statement(site: Site, earlier: int) -> str:
    """What helps where a store is one side of a race, and the same statement of another thread the other; else ''.

    ``earlier`` is what the other thread did: `shadow.LOAD` or `shadow.STORE`.
    """
    if site.action != "store":
        return ""
    updates, stores = _element_that(site)
    if earlier == shadow.LOAD and updates:
        return f"`{updates}` is read and written by one statement: let an atomic do both, as cuda.atomic.add does"
    if earlier == shadow.STORE and stores:
        return (
            f"several threads store to `{stores}`: let one of them do it, or let one atomic settle which of them it is"
        )
    return ""


def _element_that(site: Site) -> tuple[str, str]:
    """The element that the line of a store updates, '' where it does not read the same; and the one it stores to."""
    try:
        [statement] = ast.parse(linecache.getline(site.place.file, site.place.line).strip()).body
    except (SyntaxError, ValueError):
        return "", ""
    if isinstance(statement, ast.AugAssign):
        target: ast.expr = statement.target
    elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    else:
        return "", ""
    if not isinstance(target, ast.Subscript):
        return "", ""
    element, array = ast.unparse(target), ast.unparse(target.value)
    nodes = [node for node in ast.walk(statement.value) if isinstance(node, ast.Subscript)]
    others = {ast.unparse(node) for node in nodes if ast.unparse(node.value) == array}
    updated = (isinstance(statement, ast.AugAssign) and not others) or others == {element}
    return (element if updated else ""), element
