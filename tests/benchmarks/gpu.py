"""All that a GPU that is lent for some minutes is good for: is everything right there, and how fast is it?

    python tests/benchmarks/gpu.py --minutes 10 --out DIR

In this order, so that what matters most is done when the time is over: what the machine is; every CUDA variant and
every peer verified at awkward sizes; the rows of ``gpuplay peers cuda`` in short, then each at length; the ladders;
the many launches of an lstm as a graph, and memory-bound kernels with cold caches. Every step is a command that
anybody can type; its page and its JSON go to DIR. A step whose time is over gets Ctrl-C and keeps what it has.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # it runs from a copy of the sources, too, where gpuplay is not installed

from gpuplay.targets import why_not  # noqa: E402

KERNELS = ("activation", "dense", "matmul", "conv2d", "lstm")
AWKWARD = ("1,33,129,500", "1,33,129")  # images are small
GPU = "cuda,torch_gpu"
SHORT = ("--rounds", "1", "--cell-time", "20ms", "--baseline", "none")
ROWS = ("matmul", "activation:sigmoid", "lstm", "conv2d", "dense", "activation")
FINISH_S = 20.0  # to write what was measured, after Ctrl-C


@dataclass(frozen=True)
class Step:
    """One command: its words after ``gpuplay``, the seconds it may take, the name of its files, '' for none."""

    words: tuple[str, ...]
    limit_s: float
    file: str = ""

    def command(self, out: Path) -> list[str]:
        """What is run."""
        files = [word for suffix in ("json", "md") for word in ("-o", str(out / f"{self.file}.{suffix}"))]
        return [sys.executable, "-m", "gpuplay", *self.words, *(files if self.file else [])]


def steps() -> list[Step]:
    """Everything, the most important first."""
    right = [
        Step((kernel, "--on", GPU, "--sizes", AWKWARD[kernel == "conv2d"], *SHORT), 90, f"right-{kernel}")
        for kernel in KERNELS
    ]
    ladders = [
        Step(("ladder", "matmul", "--on", "cuda", "--sizes", "4096"), 60, "ladder-matmul"),
        Step(("ladder", "activation", "--on", "cuda", "--sizes", "2^26"), 40, "ladder-activation"),
        Step(("ladder", "conv2d", "--on", "cuda", "--sizes", "56", "--batch", "32"), 40, "ladder-conv2d"),
        Step(("ladder", "lstm", "--on", "cuda", "--sizes", "512", "--steps", "32"), 40, "ladder-lstm"),
        Step(("ladder", "dense", "--on", "cuda", "--sizes", "4096"), 40, "ladder-dense"),
    ]
    ways = [
        Step(("lstm", "--on", "cuda", "--sizes", "128,512", "--graph", "--baseline", "none"), 40, "graph-lstm"),
        Step(("activation", "--on", GPU, "--sizes", "2^16..2^24x16", "--cold", "--baseline", "none"), 40, "cold"),
    ]
    rows = [Step(("peers", "cuda", "--rows", row), 120, f"peers-{row.replace(':', '-')}") for row in ROWS]
    quick = Step(("peers", "cuda", "--quick"), 150, "peers-quick")
    return [Step(("doctor", "--plain"), 30), *right, quick, *rows[:1], *ladders, *rows[1:], *ways]


def run(step: Step, out: Path, left_s: float) -> tuple[str, float]:
    """Run a step within its own limit and the time that is left: how it ended, and its seconds."""
    began = time.monotonic()
    name = step.file or step.words[0]
    with (out / f"{name}.txt").open("w", encoding="utf-8") as page:
        process = subprocess.Popen(step.command(out), cwd=ROOT, stdout=page, stderr=subprocess.STDOUT)
        try:
            code = process.wait(min(step.limit_s, left_s))
            ended = "done" if code == 0 else f"exit code {code}"
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(FINISH_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            ended = "out of time"
    return ended, time.monotonic() - began


def main() -> int:
    """Run the steps until the time is over; 1 where one of them found something wrong, 3 without a GPU."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--out", type=Path, default=Path("gpu-results"))
    parser.add_argument("--plan", action="store_true", help="print the commands, run nothing")
    options = parser.parse_args()
    if options.plan:
        for step in steps():
            print(shlex.join(["gpuplay", *step.command(options.out)[3:]]))
        return 0
    if reason := why_not("cuda"):
        print(f"nothing to measure: {reason}", file=sys.stderr)
        return 3
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("GPUPLAY_CACHE_DIR", str(out / "cache"))
    deadline = time.monotonic() + 60 * options.minutes - FINISH_S
    lines = []
    for step in steps():
        left_s = deadline - time.monotonic()
        ended, spent_s = run(step, out, left_s) if left_s > 0 else ("not begun", 0.0)
        lines.append(f"{ended:14} {spent_s:6.1f} s  {' '.join(step.words)}")
        print(lines[-1], flush=True)
    (out / "summary.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return int(any(line.startswith("exit code") for line in lines))


if __name__ == "__main__":
    sys.exit(main())
