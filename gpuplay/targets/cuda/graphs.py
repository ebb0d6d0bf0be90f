"""A run captured into a CUDA graph: many launches become one, which the device works through by itself.

CUDA driver API, "Stream Management" (``cuStreamBeginCapture``) and "Graph Management". What a captured
run queues is recorded with its arguments, not executed; the graph writes into the same arrays at every
replay. Everything here runs in a worker, on a machine with a GPU.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from gpuplay.errors import GpuplayError

if TYPE_CHECKING:
    from gpuplay.targets.base import Call


class CaptureError(GpuplayError):
    """A run that cannot be captured: the reason in words."""


class Graph:
    """A captured run: ``nodes`` operations, launched by one. Calling it replays the run on the stream."""

    def __init__(self, graph: Any, stream: int, driver: Any) -> None:
        self._driver, self._stream = driver, stream
        self.nodes = int(answered("cuGraphGetNodes", driver.cuGraphGetNodes(graph))[1])
        (self._executable,) = answered("cuGraphInstantiate", driver.cuGraphInstantiate(graph, 0))
        weakref.finalize(self, driver.cuGraphExecDestroy, self._executable)

    def __call__(self) -> None:
        """Queue a replay; it writes into the arrays of the run that was captured."""
        answered("cuGraphLaunch", self._driver.cuGraphLaunch(self._executable, self._stream))


def capture(call: Call, stream: int, driver: Any) -> Graph:
    """What ``call`` queues on the stream with this handle, as a graph; CaptureError where it cannot be captured.

    The call must have been made before: it may not compile, load or allocate now. ``driver`` is
    ``cuda.bindings.driver``.
    """
    graph = _recorded(call, stream, driver)
    try:
        return Graph(graph, stream, driver)
    finally:
        driver.cuGraphDestroy(graph)


def nodes(call: Call, stream: int, driver: Any) -> int:
    """How many operations ``call`` queues, found by capturing it; nothing is executed."""
    graph = _recorded(call, stream, driver)
    try:
        return int(answered("cuGraphGetNodes", driver.cuGraphGetNodes(graph))[1])
    finally:
        driver.cuGraphDestroy(graph)


def _recorded(call: Call, stream: int, driver: Any) -> Any:
    """The graph of a call. The capture is ended whatever happens, else the stream could never be used again.

    In relaxed mode a library may ask the driver for memory meanwhile.
    """
    relaxed = driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED
    answered("cuStreamBeginCapture", driver.cuStreamBeginCapture(stream, relaxed))
    try:
        call()
    except Exception as error:
        ended = driver.cuStreamEndCapture(stream)
        if int(ended[0]) == 0:
            driver.cuGraphDestroy(ended[1])
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CaptureError(first) from error
    (graph,) = answered("cuStreamEndCapture", driver.cuStreamEndCapture(stream))
    return graph


def answered(name: str, returned: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a driver function returned behind its error code; CaptureError, with the code's name, where it failed."""
    code, *values = returned
    if int(code) != 0:
        raise CaptureError(f"{name}: {getattr(code, 'name', code)}")
    return tuple(values)
