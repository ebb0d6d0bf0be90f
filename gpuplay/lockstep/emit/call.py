"""What a handler of a call gets: the emitter, and the call as it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from gpuplay.lockstep.emit.emitter import Emitter


@dataclass(frozen=True)
class Call:
    """A call as it stands: the target's variable, argument variables in order, the inferred signature."""

    target: str
    arguments: tuple[str, ...]
    keywords: dict[str, str]
    signature: Any


Handler: TypeAlias = Callable[[Emitter, Call], None]
