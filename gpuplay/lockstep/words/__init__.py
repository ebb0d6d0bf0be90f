"""What a GPU function may say, beside plain Python."""

from __future__ import annotations

from gpuplay.lockstep.emit.call import Vocabulary
from gpuplay.lockstep.words import numba, ptx

VOCABULARY: Vocabulary[object] = {**numba.VOCABULARY, **ptx.VOCABULARY}
