"""The clock of the CUDA target, tried with a stand-in for the stream: it holds, counts, and lets go in time."""

import weakref

import pytest
from fake_device import KERNEL_MS, L2_BYTES, FakeFunction, FakeStream, device_on, launches, target_on

from gpuplay.errors import GpuplayError, WorkerLost
from gpuplay.machine.limits import LaunchError
from gpuplay.targets.cuda.device import DeviceGpu
from gpuplay.targets.cuda.faults import DeviceFaultError


@pytest.mark.parametrize(("each", "loops"), [(1, 1), (1, 2000), (3, 400), (512, 3)])
def test_batches_fit_the_queue_and_add_up(each, loops):
    stream = FakeStream(capacity=512)
    target = target_on(stream)
    seconds = target.seconds(launches(target, stream, each), loops)
    assert seconds == pytest.approx(each * loops * KERNEL_MS * 1e-3)
    assert stream.most_waiting <= 512
    assert stream.launched == each * (loops + 1)  # one call counts the operations first


def test_a_call_with_more_launches_than_the_queue_takes_lets_go_in_time():
    stream = FakeStream(capacity=600)
    target = target_on(stream)
    assert target.seconds(launches(target, stream, 5000), 2) == pytest.approx(10_000 * KERNEL_MS * 1e-3)
    assert stream.most_waiting <= 512


def test_a_queue_that_is_shorter_than_thought_is_found_and_the_time_taken_again():
    stream = FakeStream(capacity=100)
    target = target_on(stream)
    call = launches(target, stream, 1)
    assert target.seconds(call, 512) == pytest.approx(512 * KERNEL_MS * 1e-3)
    stream.most_waiting = 0
    assert target.seconds(call, 512) == pytest.approx(512 * KERNEL_MS * 1e-3)
    assert stream.most_waiting <= 100


def test_a_stream_that_cannot_be_held_is_an_error():
    stream = FakeStream(capacity=-1)
    target = target_on(stream)
    with pytest.raises(GpuplayError, match="does not stay held back"):
        target.seconds(launches(target, stream, 1), 4)


def test_a_run_that_raises_leaves_nothing_held():
    stream = FakeStream()
    target = target_on(stream)
    calls = []

    def run(_gpu):
        calls.append(1)
        if len(calls) > 1:
            raise ValueError("late")

    with pytest.raises(ValueError, match="late"):
        target.seconds(target.bind(run, []), 3)
    target.finish()


@pytest.mark.parametrize("code", ["ILLEGAL_ADDRESS", "MISALIGNED_ADDRESS", "LAUNCH_FAILED"])
def test_a_fault_of_the_device_is_named_and_ends_the_worker(code):
    target = target_on(FakeStream(error=f"[700] Call to cuStreamSynchronize results in CUDA_ERROR_{code}"))
    with pytest.raises(DeviceFaultError, match=f"a GPU function .*CUDA_ERROR_{code}") as fault:
        target.finish()
    assert isinstance(fault.value, WorkerLost)


def test_other_errors_pass_unchanged():
    target = target_on(FakeStream(error="anything else"))
    with pytest.raises(RuntimeError, match=r"^anything else$"):
        target.finish()


def test_limits_are_refused_before_the_launch_and_configurations_are_kept():
    stream = FakeStream()
    device = device_on(stream)
    gpu, function = DeviceGpu(device), FakeFunction(stream.queue, "tiled")
    with pytest.raises(LaunchError, match="tiled: block 64×64 is 4096 threads"):
        gpu.launch(function, 1, (64, 64))
    assert stream.launched == 0
    for _ in range(3):
        gpu.launch(function, (2, 3), 64, shared=128)
    assert function.configured == [((2, 3, 1), (64, 1, 1), stream, 128)]
    assert device.operations == 3


def test_too_many_registers_are_named():
    def refuse(*_args):
        raise RuntimeError("CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES: too many resources")

    function = FakeFunction(refuse, "greedy")
    function.get_max_threads_per_block = lambda: {"sig": 512}
    function.get_regs_per_thread = lambda: {"sig": 128}
    with pytest.raises(GpuplayError, match=r"greedy: .* 128 registers a thread a block has at most 512 threads"):
        DeviceGpu(device_on(FakeStream())).launch(function, 1, 1024)


def test_a_cold_call_is_timed_alone_after_a_flush_of_twice_the_second_cache():
    stream = FakeStream()
    target = target_on(stream)
    call = launches(target, stream, 3)
    seconds = target.cold_seconds(call, 20)
    assert seconds == pytest.approx(3 * 20 * KERNEL_MS * 1e-3)  # nothing of the flushes
    assert stream.allotted == [2 * L2_BYTES // 4]
    assert stream.swept == 21  # the first one compiles
    assert target.seconds(call, 20) == pytest.approx(seconds)
    assert stream.swept == 21


def test_cold_calls_fit_a_queue_that_is_shorter_than_thought():
    stream = FakeStream(capacity=64)
    target = target_on(stream)
    assert target.cold_seconds(launches(target, stream, 1), 300) == pytest.approx(300 * KERNEL_MS * 1e-3)
    assert stream.most_waiting <= 512


def test_a_graph_replays_what_a_run_launches_as_one_operation():
    stream = FakeStream()
    target = target_on(stream, graph=True)
    device = target.__dict__["_device"]
    call = launches(target, stream, 40)
    assert target.seconds(call, 1000) == pytest.approx(40 * 1000 * KERNEL_MS * 1e-3)
    assert device.driver.launches == 1001  # once before the clock
    assert device.driver.destroyed == 1
    assert target.remark(call) == ""
    assert target.cold_seconds(call, 5) == pytest.approx(40 * 5 * KERNEL_MS * 1e-3)
    assert device.driver.launches == 1006


@pytest.mark.parametrize("refuse", ["end", "instantiate"])
def test_a_run_that_cannot_be_captured_is_timed_launch_by_launch_and_says_so(refuse):
    stream = FakeStream()
    target = target_on(stream, graph=True)
    target.__dict__["_device"].driver.refuse = refuse
    call = launches(target, stream, 4)
    assert target.seconds(call, 10) == pytest.approx(4 * 10 * KERNEL_MS * 1e-3)
    assert target.remark(call).startswith("not captured as a graph, timed launch by launch: cu")
    assert stream.recorded is None


def test_a_run_that_raises_while_it_is_captured_ends_the_capture():
    stream = FakeStream()
    target = target_on(stream, graph=True)

    def run(gpu):
        gpu.launch(function, 1, 32)
        if stream.recorded is not None:
            raise RuntimeError("CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED")

    function = FakeFunction(stream.queue)
    call = target.bind(run, [])
    assert target.seconds(call, 3) == pytest.approx(3 * KERNEL_MS * 1e-3)
    assert target.remark(call).endswith("CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED")
    assert stream.recorded is None


def test_operations_of_a_library_are_counted_without_running_them():
    stream = FakeStream()
    device = device_on(stream)
    function = FakeFunction(stream.queue)
    assert device.nodes(lambda: [DeviceGpu(device).launch(function, 1, 32) for _ in range(7)]) == 7
    assert stream.launched == 0


def test_a_kept_call_is_let_go_when_its_problem_is():
    target = target_on(FakeStream(), graph=True)
    call = launches(target, target.__dict__["_device"].stream, 2)
    target.seconds(call, 1)
    alive = weakref.ref(call)
    del call
    assert alive() is None
