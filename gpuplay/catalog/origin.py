"""Where kernels come from: bundled packages, plugins' entry points, files."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Literal

NAMESPACE = "gpuplay_kernels"
PLUGIN_GROUP = "gpuplay.kernels"
PACKAGE_DIR = Path(__file__).parents[1]
SHARED = "_shared"  # the folder of what kernels share, which is no kernel


@dataclass(frozen=True)
class Origin:
    """Where a kernel comes from: a bundled package, a plugin's entry point, or a file."""

    kind: Literal["bundled", "plugin", "file"]
    name: str
    path: str = ""


def kernels_dir() -> Path:
    """The folder of the bundled kernels: inside the package in a wheel, beside it in a checkout."""
    inside = PACKAGE_DIR / "kernels"
    return inside if inside.is_dir() else PACKAGE_DIR.parent / "kernels"


def entry_point(name: str) -> EntryPoint:
    """The entry point of the plugin of this name."""
    return next(point for point in entry_points(group=PLUGIN_GROUP) if point.name == name)
