"""cpu:winograd multiplies less and errs more: it has an error bound of its own, and says what it is not for."""

from __future__ import annotations

import pytest
from command import Gpuplay

from gpuplay.catalog.find import find_kernel
from gpuplay.catalog.load import load_kernel
from gpuplay.errors import KernelFileError
from gpuplay.kernel import Variant

WORDS = ("conv2d", "--batch", "2", "--channels", "5", "--cell-time", "0.05s", "--baseline", "none", "--json")


def test_winograd_is_held_to_its_own_wider_bound_and_its_fellow_to_the_kernels(gpuplay: Gpuplay) -> None:
    done = gpuplay(*WORDS, "--sizes", "14", "--on", "cpu:naive,cpu:winograd")
    assert done.code == 0, done.err
    errors = {cell["variant"]: cell["error"] for cell in done.results}
    growth = load_kernel(find_kernel("conv2d")).kernel.variant("cpu:winograd").error_growth
    assert errors["cpu:winograd"]["tolerance"] == pytest.approx(growth * errors["cpu:naive"]["tolerance"])
    assert 0 < errors["cpu:naive"]["max_abs"] <= errors["cpu:naive"]["tolerance"]
    assert 0 < errors["cpu:winograd"]["max_abs"] <= errors["cpu:winograd"]["tolerance"]


@pytest.mark.parametrize(
    ("param", "reason"),
    [
        (("--kernel-size", "5"), "kernel_size 5: its transforms are those of 3×3 filters"),
        (("--stride", "2"), "stride 2: its transforms are those of stride 1"),
    ],
    ids=["5×5", "stride 2"],
)
def test_winograd_refuses_other_filters_and_strides_with_the_reason(
    gpuplay: Gpuplay, param: tuple[str, str], reason: str
) -> None:
    done = gpuplay(*WORDS, "--sizes", "14", "--on", "cpu:winograd", *param)
    assert [(cell["status"], cell["reason"]) for cell in done.results] == [("skipped", reason)]


@pytest.mark.parametrize("growth", [0.5, float("nan"), float("inf")])
def test_an_error_growth_that_would_narrow_or_lift_the_bounds_is_refused(growth: float) -> None:
    with pytest.raises(KernelFileError, match="error_growth is a number from 1"):
        Variant("cpu:mine", "SIMD", "errs", "cpu:mine", error_growth=growth)
