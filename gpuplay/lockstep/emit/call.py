"""What handles a call: it gets the emitter and the call as it stands, and emits what the call does.

A handler runs once, when the function is translated; the operations that it emits run whenever lanes come there. What
these need of the emitter, such as the place, the handler takes before: the emitter has moved on by then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from gpuplay.lockstep.emit.emitter import Emitter

Word = TypeVar("Word")  # what is called: a name of `numba.cuda`, or a function of `gpuplay.intrinsics.ptx`


@dataclass(frozen=True)
class Call:
    """A call as it stands: the target's variable, argument variables in order, the inferred signature."""

    target: str
    arguments: tuple[str, ...]
    keywords: dict[str, str]
    signature: Any


Handler: TypeAlias = Callable[[Emitter, Call], None]
Vocabulary: TypeAlias = dict[Word, Handler]


def nothing(_emit: Emitter, _made: Call) -> None:
    """The handler of a call that does nothing."""
