"""The rungs that ``gpuplay ladder`` asks for: variants of which each improves on the one below."""

from __future__ import annotations

from collections.abc import Sequence

from gpuplay.errors import UsageError
from gpuplay.kernel import Kernel
from gpuplay.plan.request import chosen_names

DEFAULT = "cpu"


def chain(kernel: Kernel, name: str) -> tuple[str, ...]:
    """The variants from the first rung up to this one, along what each ``improves_on``."""
    found = [name]
    while (below := kernel.variant(found[-1]).improves_on) and below not in found:
        found.append(below)
    return tuple(reversed(found))


def rungs(kernel: Kernel, on: str | None) -> tuple[str, ...]:
    """The rungs that ``--on`` asks for, the first first.

    A target stands for its longest chain (of two equal ones the story's), one variant for the chain that
    leads to it, several variants for themselves. UsageError where that is no ladder.
    """
    words = [word.strip() for word in (on or DEFAULT).split(",")]
    names = chosen_names(kernel, on) if on is not None else tuple(v.name for v in kernel.variants if v.target in words)
    targets = {variant.target for variant in kernel.variants}
    if len(words) > 1 and not targets.intersection(words):
        return tuple(sorted(names, key=lambda name: len(chain(kernel, name))))
    if len(words) > 1:
        raise UsageError(f"--on {on}: a ladder is of one target; give one, or the names of its rungs")
    ladders = [chain(kernel, name) for name in names]
    story = kernel.story_names
    found = max(ladders, key=lambda one: (len(one), one[-1] in story), default=())
    if len(found) > 1:
        return found
    raise UsageError(f"ladder: {kernel.name} has no ladder on {words[0]}: {_missing(kernel)}")


def others(kernel: Kernel, names: Sequence[str]) -> tuple[str, ...]:
    """The tops of the other ladders on the same targets."""
    targets = {kernel.variant(name).target for name in names}
    rest = [v for v in kernel.variants if v.target in targets and v.name not in names and v.improves_on]
    lower = {v.improves_on for v in rest}
    return tuple(v.name for v in rest if v.name not in lower)


def _missing(kernel: Kernel) -> str:
    """What makes a ladder, and which targets have one."""
    targets = dict.fromkeys(variant.target for variant in kernel.variants if variant.improves_on)
    if targets:
        return f"it has one with --on {' or --on '.join(targets)}"
    return "none of its variants names the one that it improves on; declare improves_on=… (docs/writing-kernels.md)"
