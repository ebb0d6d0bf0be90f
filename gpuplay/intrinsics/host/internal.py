"""How host functions are compiled that only compiled functions call.

Numba gives every function a wrapper for Python and one for C, and compiles these too: a sixth of the time that a
kernel of many small functions takes. Without them a function cannot be called from Python.
"""

from __future__ import annotations

from typing import Any

from numba import njit

WITHOUT_WRAPPERS = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}

internal: Any = njit(cache=True, **WITHOUT_WRAPPERS)
internal_parallel: Any = njit(cache=True, parallel=True, **WITHOUT_WRAPPERS)
inlined: Any = njit(forceinline=True, **WITHOUT_WRAPPERS)
