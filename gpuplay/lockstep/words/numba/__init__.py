"""The words of `numba.cuda`: each file has handlers by the names that the words have there."""

from __future__ import annotations

from typing import Any

from numba import cuda

from gpuplay.lockstep.emit.call import Vocabulary
from gpuplay.lockstep.words.numba import arrays, atomics, barriers, threads, warps


def _by_object(handlers: Vocabulary[str]) -> Vocabulary[object]:
    """Handlers by the objects of `numba.cuda`, where the installed version has them."""
    found: Vocabulary[object] = {}
    for path, handler in handlers.items():
        word: Any = cuda
        for part in path.split("."):
            word = getattr(word, part, None)
        if word is not None:
            found[word] = handler
    return found


VOCABULARY: Vocabulary[object] = {
    **_by_object({**threads.HANDLERS, **arrays.HANDLERS, **barriers.HANDLERS, **atomics.HANDLERS, **warps.HANDLERS}),
    **barriers.GROUPS,
}
