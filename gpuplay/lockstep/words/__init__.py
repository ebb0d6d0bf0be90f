"""What a GPU function may say: the words of Python, of `numba.cuda` and of `gpuplay.intrinsics.ptx`."""

from __future__ import annotations

from gpuplay.lockstep.emit.call import Vocabulary
from gpuplay.lockstep.words import numba, ptx, python

VOCABULARY: Vocabulary[object] = {**python.HANDLERS, **numba.VOCABULARY, **ptx.VOCABULARY}
