"""Compile 128-bit accesses without a GPU, and print the PTX.

python tests/proofs/vectors.py
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from programs.counted import quads_through_shared

from gpuplay.targets.stand_ins import offline

if __name__ == "__main__":
    arrays = [offline.hollow((128,), np.float32), offline.hollow((128,), np.float32)]
    for found in offline.inspect(lambda gpu, y, x: gpu.launch(quads_through_shared, 1, 32, y, x), arrays, (9, 0)):
        print(found.ptx)
