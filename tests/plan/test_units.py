"""Numbers as text, and durations from text."""

from __future__ import annotations

import pytest

from gpuplay import units
from gpuplay.errors import UsageError


@pytest.mark.parametrize(
    ("t", "text"),
    [
        (0, "0 s"),
        (3.2e-9, "3.20 ns"),
        (181e-6, "181 µs"),
        (999.6e-6, "1.00 ms"),
        (86.8e-3, "86.8 ms"),
        (5.41, "5.41 s"),
        (59.97, "1 min"),
        (110, "1 min 50 s"),
        (3599.8, "1 h"),
        (7500, "2 h 5 min"),
    ],
)
def test_a_time_has_three_digits_and_the_unit_people_say(t: float, text: str) -> None:
    assert units.seconds(t) == text


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (1 / 78, "1/78 ×"),
        (1 / 39012, "1/39000 ×"),
        (0.0996, "0.10 ×"),
        (0.5, "0.50 ×"),
        (1.06, "1.06 ×"),
        (9.996, "10 ×"),
        (39.4, "39 ×"),
        (1234.0, "1230 ×"),
    ],
)
def test_a_ratio_reads_as_times_as_fast(x: float, text: str) -> None:
    assert units.ratio(x) == text


def test_a_tie_reads_as_one_where_it_is_near_and_keeps_its_number_where_noise_alone_makes_it_a_tie() -> None:
    assert units.ratio(1.02, tie=True) == "≈1 ×"
    assert units.ratio(1.3, tie=True) == "≈1.30 ×"


def test_rates_and_bytes_change_their_unit_where_the_digits_would_overflow() -> None:
    assert units.flop_rate(198e9) == "198 GFLOP/s"
    assert units.flop_rate(999.7e9) == "1.00 TFLOP/s"
    assert units.byte_rate(26.1e9) == "26.1 GB/s"
    assert units.nbytes(3.2 * 2**30) == "3.2 GiB"
    assert units.nbytes(1023.7 * 2**20) == "1 GiB"
    assert units.nbytes(64) == "64 B"


def test_percentages_below_one_keep_a_digit() -> None:
    assert [units.percent(x) for x in (0.02, 0.004, 0.0001, 0.0, 1.27)] == ["2 %", "0.4 %", "<0.1 %", "0 %", "127 %"]


def test_a_range_is_one_number_where_both_ends_read_the_same() -> None:
    assert units.gain(39, 43.2) == "39–43×"
    assert units.gain(2.01, 2.04) == "2.0×"


def test_sizes_are_powers_only_where_all_are_and_one_is_large() -> None:
    assert units.size_names([2**12, 2**24])(2**24) == "2^24"
    assert units.size_names([256, 8192])(8192) == "8192"
    assert units.size_names([1000, 2**24])(2**24) == "16777216"


@pytest.mark.parametrize(
    ("text", "value"), [("60s", 60), ("1.5", 1.5), ("2min", 120), ("500ms", 0.5), (" 1 h ", 3600), (".5s", 0.5)]
)
def test_a_duration_is_a_number_with_a_unit_or_seconds(text: str, value: float) -> None:
    assert units.parse_duration(text) == value


@pytest.mark.parametrize("text", ["", "abc", "-1s", "0", "0ms", "1e3", "inf", "nan", "5 days", "1m", "1,5s"])
def test_what_is_no_duration_is_refused_with_what_to_type(text: str) -> None:
    with pytest.raises(UsageError, match=r"--cell-time.*write 60s"):
        units.parse_duration(text, "--cell-time")
