#!/usr/bin/env bash
# NVBench's comparison calls a kernel that is ten times slower ambiguous, unless both files say how fast the clock ran.
#
# Expected: two NVBench files with tight quartiles around 1 ms and 10 ms compare as SLOW, and a script learns it from
#   the exit status, as it does from the older `nvbench-compare-legacy`.
# Happens: `nvbench-compare-robust` finds the gap clear and still answers AMBG, for it confirms a gap in clock cycles
#   only. With a mean SM clock in both files it says SLOW. The exit status is 0 in every case. What is ten times
#   faster reads as a change of -890 %: the change is counted from the faster side.
# Matters: whoever writes NVBench's JSON from another harness must fill `nv/cold/sm_clock_rate/mean`, and whoever
#   guards against regressions must read the table, not the status.
# Versions: cuda-bench 0.3.0, numpy 2.4.6, tabulate 0.10.0. Needs Python 3.11 or newer, x86-64 Linux, no GPU.
#
# Seen:
#   robust, slower unclocked, exit 0: | 1.000 ms [-5, +5] us | 10.000 ms [-50, +50] us | | AMBG |
#   robust, faster unclocked, exit 0: | 1.000 ms [-5, +5] us | 100.000 [-0.500, +0.500] us | | AMBG |
#   robust, slower clocked, exit 0: | 1.000 ms [-5, +5] us | 10.000 ms [-50, +50] us | >= +890.0% | SLOW |
#   robust, faster clocked, exit 0: | 1.000 ms [-5, +5] us | 100.000 [-0.500, +0.500] us | <= -890.0% | FAST |
#   legacy, slower unclocked, exit 1: | 1.000 ms | 0.50% | 10.000 ms | 0.50% | 9.000 ms | 900.00% | SLOW |
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check \
  cuda-bench==0.3.0 numpy==2.4.6 tabulate==0.10.0 colorama==0.4.6 jsondiff==2.2.1

venv/bin/python - <<'PY'
"""Write the result of one benchmark as NVBench does, with times of 1 ms, 10 ms and 0.1 ms, with and without a clock."""

import json
from pathlib import Path

SPREAD = {"min": 0.99, "q1": 0.995, "median": 1.0, "mean": 1.0, "q3": 1.005, "max": 1.01, "stdev/relative": 0.005}


def summary(tag, value):
    return {"tag": tag, "name": tag, "data": [{"name": "value", "type": "float64", "value": repr(value)}]}


def document(seconds, clock):
    """NVBench's JSON for one state of one benchmark on one device; clock in Hz, or None."""
    times = {name: share * (1 if "relative" in name else seconds) for name, share in SPREAD.items()}
    summaries = [summary(f"nv/cold/time/gpu/{name}", value) for name, value in times.items()]
    if clock:
        summaries.append(summary("nv/cold/sm_clock_rate/mean", clock))
    state = {"name": "Device=0", "device": 0, "type_config_index": 0, "axis_values": [], "is_skipped": False}
    benchmark = {"name": "saxpy", "index": 0, "devices": [0], "axes": [], "states": [state | {"summaries": summaries}]}
    format_version = {"json": {"major": 1, "minor": 0, "patch": 0, "string": "1.0.0"}}
    meta = {"argv": [], "version": format_version}
    return {"meta": meta, "devices": [{"id": 0, "name": "GPU"}], "benchmarks": [benchmark]}


for clocks, clock in (("unclocked", None), ("clocked", 1.7e9)):
    for name, seconds in (("reference", 1e-3), ("slower", 1e-2), ("faster", 1e-4)):
        Path(f"{name}-{clocks}.json").write_text(json.dumps(document(seconds, clock)))
PY
venv/bin/python -c 'from importlib.metadata import version; print("cuda-bench", version("cuda-bench"))'

# Compare one file with its reference in one of two ways; fail unless its verdict and exit status are those named first.
expect() {
  local verdict=$1 status=$2 way=$3 other=$4 clocks=$5 found=0 table row
  table=$("venv/bin/nvbench-compare-$way" "reference-$clocks.json" "$other-$clocks.json" | sed 's/\x1b\[[0-9;]*m//g') ||
    found=$?
  row=$(grep ' ms ' <<<"$table" | tr -s ' ') || true
  echo "$way, $other $clocks, exit $found: $row"
  if [[ $row != *" $verdict "* || $found != "$status" ]]; then
    echo "No longer so: expected $verdict and exit status $status." >&2
    exit 1
  fi
}

expect AMBG 0 robust slower unclocked
expect AMBG 0 robust faster unclocked
expect SLOW 0 robust slower clocked
expect FAST 0 robust faster clocked
expect SLOW 1 legacy slower unclocked
