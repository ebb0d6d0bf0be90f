"""What a GPU says of itself: read through a stand-in for NVML, kept beside each cell, and shown."""

from __future__ import annotations

import ctypes
from dataclasses import replace
from typing import Any

import pytest
import scripted
from fake_device import KERNEL_MS, FakeStream, launches, target_on
from scripted import measure, plan, record, usual

from gpuplay.analysis.sweep import warnings
from gpuplay.results.cell import Cell
from gpuplay.results.result import Result
from gpuplay.results.telemetry import Telemetry, worst
from gpuplay.targets.cuda.nvml import Nvml, NvmlError
from gpuplay.views.sweep import detail, export

UUID = "GPU-1"
BUSY = {"clock": {1: 1755, 2: 2619}, "milliwatts": 412_000, "celsius": 61, "reasons": 0x4, "millijoules": 0}


class FakeNvml:
    """The functions that are asked of NVML; those named in ``missing`` are not there."""

    def __init__(self, missing: tuple[str, ...] = (), **state: Any) -> None:
        self.state = BUSY | state
        self.missing = missing

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("nvml") and name in self.missing:
            raise AttributeError(name)
        return object.__getattribute__(self, name)

    def nvmlInit_v2(self) -> int:  # noqa: N802
        return int(self.state.get("start", 0))

    def nvmlDeviceGetHandleByUUID(self, uuid: bytes, _handle: Any) -> int:  # noqa: N802
        return 0 if uuid == UUID.encode() else 6

    def nvmlDeviceGetClockInfo(self, _device: Any, kind: int, found: Any) -> int:  # noqa: N802
        found._obj.value = self.state["clock"][kind]
        return 0

    def nvmlDeviceGetMaxClockInfo(self, _device: Any, kind: int, found: Any) -> int:  # noqa: N802
        found._obj.value = 2 * self.state["clock"][kind]
        return 0

    def nvmlDeviceGetPowerUsage(self, _device: Any, found: Any) -> int:  # noqa: N802
        found._obj.value = self.state["milliwatts"]
        return 0

    def nvmlDeviceGetEnforcedPowerLimit(self, _device: Any, _found: Any) -> int:  # noqa: N802
        return 3  # not supported

    def nvmlDeviceGetTemperature(self, _device: Any, sensor: int, found: Any) -> int:  # noqa: N802
        assert sensor == 0
        found._obj.value = self.state["celsius"]
        return 0

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, _device: Any, found: Any) -> int:  # noqa: N802
        assert isinstance(found._obj, ctypes.c_ulonglong)
        found._obj.value = self.state["reasons"]
        return 0

    def nvmlDeviceGetTotalEnergyConsumption(self, _device: Any, found: Any) -> int:  # noqa: N802
        found._obj.value = self.state["millijoules"]
        return 0


def test_what_the_gpu_tells_is_read_in_mhz_watts_degrees_and_words() -> None:
    found = Nvml(UUID, FakeNvml).read()
    assert found == Telemetry(sm_mhz=1755, memory_mhz=2619, power_w=412.0, celsius=61, throttled=("power cap",))
    both = Nvml(UUID, lambda: FakeNvml(reasons=0x1 | 0x8 | 0x40)).read()
    assert both.throttled == ("hardware slowdown", "heat (hardware)")
    assert Nvml(UUID, lambda: FakeNvml(reasons=0x1)).read().throttled == ()
    assert Nvml(UUID, FakeNvml).limits() == {"max_sm_mhz": 3510, "max_memory_mhz": 5238, "power_limit_w": None}


def test_what_the_gpu_does_not_tell_is_none() -> None:
    missing = ("nvmlDeviceGetCurrentClocksThrottleReasons", "nvmlDeviceGetTotalEnergyConsumption")
    nvml = Nvml(UUID, lambda: FakeNvml(missing))
    assert nvml.read().throttled is None
    assert nvml.joules() is None


def absent() -> Any:
    raise OSError("libnvidia-ml.so.1")


@pytest.mark.parametrize(
    ("uuid", "library", "said"),
    [
        (UUID, absent, "which the NVIDIA driver brings, is not found"),
        (UUID, lambda: FakeNvml(start=9), r"NVML does not start \(error 9\)"),
        ("GPU-2", FakeNvml, r"NVML does not know GPU-2 \(error 6\)"),
    ],
    ids=["absent", "broken", "unknown"],
)
def test_why_nvml_cannot_be_asked_is_said(uuid: str, library: Any, said: str) -> None:
    with pytest.raises(NvmlError, match=said):
        Nvml(uuid, library)


class Meter(FakeNvml):
    """NVML on a GPU that uses 300 W while a stand-in for its stream is busy."""

    def __init__(self, stream: FakeStream) -> None:
        super().__init__()
        self.stream = stream

    def nvmlDeviceGetTotalEnergyConsumption(self, _device: Any, found: Any) -> int:  # noqa: N802
        found._obj.value = round(300 * self.stream.clock_ms)
        return 0


def test_a_cell_at_work_is_watched_for_the_span_and_its_energy_counted_a_call() -> None:
    stream = FakeStream()
    target = target_on(stream)
    target.__dict__["_nvml"] = Nvml(UUID, lambda: Meter(stream))
    call = launches(target, stream, 3)
    call_s = 3 * KERNEL_MS * 1e-3
    target.seconds(call, 1)
    before = stream.launched
    found = target.watch(call, call_s, 0.15, energy=True)
    assert found is not None
    assert stream.launched - before == 3 * 25  # 150 ms of calls of 6 ms
    assert (found.sm_mhz, found.throttled) == (1755, ("power cap",))
    assert found.energy_j == pytest.approx(300 * call_s)
    glance = target.watch(call, call_s, 0.005)
    assert glance is not None
    assert glance.energy_j is None


def test_calls_too_short_to_keep_the_gpu_at_work_have_no_energy_and_are_not_made_by_the_million() -> None:
    stream = FakeStream()
    target = target_on(stream)
    target.__dict__["_nvml"] = Nvml(UUID, lambda: Meter(stream))
    call = launches(target, stream, 1)
    found = target.watch(call, 1e-6, 0.15, energy=True)
    assert found is not None
    assert found.energy_j is None
    assert stream.launched <= 15_001


def test_without_nvml_nothing_is_watched_and_the_reason_is_a_fact_of_the_machine() -> None:
    stream = FakeStream()
    target = target_on(stream)
    target.__dict__["_nvml"] = "libnvidia-ml.so.1 is not found"
    assert target.watch(launches(target, stream, 1), 1e-3, 0.15, energy=True) is None
    target.__dict__["_device"].context.get_memory_info = lambda: (1, 2)
    assert target.facts()["nvml"] == "libnvidia-ml.so.1 is not found"
    target.__dict__["_nvml"] = Nvml(UUID, FakeNvml)
    assert (target.facts()["nvml"], target.facts()["max_sm_mhz"], target.facts()["uuid"]) == ("", 3510, UUID)


def test_of_several_turns_the_worst_reading_counts() -> None:
    cool = Telemetry(sm_mhz=1980, memory_mhz=2619, power_w=350, celsius=55, throttled=())
    hot = Telemetry(sm_mhz=1700, memory_mhz=2619, power_w=690, celsius=82, throttled=("power cap",), energy_j=0.5)
    found = worst([cool, hot, replace(cool, celsius=None)])
    assert found == Telemetry(1700, 2619, 690, 82, ("power cap",), 0.5)
    assert worst([]) is None
    assert worst([Telemetry()]) == Telemetry()


def measured(telemetry: Telemetry | None, nvml: str = "") -> Any:
    """A record of one GPU cell."""
    found = plan(variants=("numpy:blas", "cuda:tiled"), sizes=(1024,))

    def times(cell: Cell) -> Result | float:
        if cell.target != "cuda":
            return usual(cell)
        told = {"telemetry": telemetry, "algorithm": "sgemm"}
        return scripted.ok(cell, "SIMT", scripted.timing(usual(cell)), **told)

    kept = record(measure(found, times), gpu=True)
    return replace(kept, machine={**kept.machine, "gpu": {**scripted.GPU, "nvml": nvml}})


def test_detail_and_csv_show_clocks_power_heat_and_energy() -> None:
    kept = measured(Telemetry(1755, 2619, 412.0, 61, ("power cap",), 0.0123))
    page = detail.render(kept, 400).plain
    for text in ("1755 MHz", "2619 MHz", "412 W", "61 °C", "power cap", "12.3 mJ", "sgemm"):
        assert text in page
    header, _, row = export.to_csv(kept).splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    assert (cells["sm_mhz"], cells["energy_j"], cells["throttled"]) == ("1755", "0.0123", "power cap")


def test_throttling_is_a_warning_and_so_is_not_knowing() -> None:
    held = warnings.collect(measured(Telemetry(1755, 2619, 412.0, 61, ("power cap", "heat (software)"))))
    assert any("cuda:tiled at n = 1024: the GPU held its clocks down (power cap, heat (software))" in t for t in held)
    free = warnings.collect(measured(Telemetry(1980, 2619, 412.0, 61, ())))
    assert not any("clocks" in text for text in free)
    unknown = warnings.collect(measured(None, "NVML does not start (error 9)"))
    assert any("power and throttling are not known: NVML does not start (error 9)" in text for text in unknown)
