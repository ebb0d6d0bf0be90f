#!/usr/bin/env bash
# Kernel Tuner reads a cache file that stands on one line, and leaves it unreadable.
#
# Expected: a cache file that was loaded as JSON and written back with `json.dump` is the same cache to Kernel Tuner.
# Happens: it is accepted, and answers for what it holds. But before more is appended, the last three characters are cut
#   off, which are `}`, newline, `}` in a file of Kernel Tuner's own and `}}}` on one line, and `}`, newline, `}` is put
#   back: one brace is lost. The run itself succeeds; the next one, and every reader of JSON, fails.
# Matters: caches are measurements that took hours, and merging, filtering or generating them is a few lines of Python.
#   Write them with an indent, "cache" last, and they live.
# Versions: kernel-tuner 1.5.0, numpy 2.4.6. Needs Python 3.11 or newer, x86-64 Linux and gcc (Kernel Tuner's C
#   backend), no GPU; without gcc it says so and stops.
#
# Seen:
#   own: before JSON, 2 records; the run gave 3 results; after JSON, 3 records
#   one_line: before JSON, 2 records; the run gave 3 results; after not JSON (Expecting ',' delimiter)
#   indented: before JSON, 2 records; the run gave 3 results; after JSON, 3 records
#   one_line once more: JSONDecodeError: Expecting ',' delimiter
set -euo pipefail

if ! command -v gcc >/dev/null; then
  echo "Skipped: there is no gcc, which Kernel Tuner's C backend needs."
  exit 0
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check kernel-tuner==1.5.0 numpy==2.4.6

venv/bin/python - <<'PY'
import contextlib
import io
import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from kernel_tuner import tune_kernel

SOURCE = 'extern "C" float tiled(float *x) { x[0] = TILE; return 1.0f; }'


def tune(cache, tiles):
    """Tune the kernel over its tiles with a cache file, and return how many results came of it."""
    arguments = [np.zeros(1, np.float32)]
    options = {"lang": "C", "block_size_names": ["TILE"], "cache": str(cache)}
    with contextlib.redirect_stdout(io.StringIO()):
        results, _ = tune_kernel("tiled", SOURCE, 1, arguments, {"TILE": tiles}, **options)
    return len(results)


def state(cache):
    """Whether a file is JSON."""
    try:
        return f"JSON, {len(json.loads(cache.read_text())['cache'])} records"
    except json.JSONDecodeError as error:
        return f"not JSON ({error.msg})"


print("kernel-tuner", version("kernel-tuner"))
own, one_line, indented = Path("own.json"), Path("one_line.json"), Path("indented.json")
tune(own, [8, 16])
one_line.write_text(json.dumps(json.loads(own.read_text())))
indented.write_text(json.dumps(json.loads(own.read_text()), indent=1))
seen = {}
for cache in (own, one_line, indented):
    before = state(cache)
    results = tune(cache, [8, 16, 32])
    seen[cache] = before, results, state(cache)
    print(f"{cache.stem}: before {before}; the run gave {results} results; after {seen[cache][2]}")
try:
    again = f"{tune(one_line, [8, 16, 32])} results"
except json.JSONDecodeError as error:
    again = f"JSONDecodeError: {error.msg}"
print(f"one_line once more: {again}")

if seen[own] != seen[indented] or seen[indented][2] != "JSON, 3 records":
    sys.exit("No longer so: an indented cache does not live as Kernel Tuner's own does.")
if seen[one_line][1] != 3 or not seen[one_line][2].startswith("not JSON") or not again.startswith("JSONDecodeError"):
    sys.exit("No longer so: a cache on one line is still readable after a run.")
PY
