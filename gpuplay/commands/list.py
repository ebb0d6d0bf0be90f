"""``gpuplay list``, and what is said where no command is given."""

from __future__ import annotations

import json as jsons
import sys
from dataclasses import asdict
from typing import Any

from rich.console import Console

from gpuplay.catalog.find import bundled_kernels
from gpuplay.catalog.load import load_kernel
from gpuplay.errors import KernelFileError
from gpuplay.kernel import Kernel
from gpuplay.kinds.known import offers
from gpuplay.views import listing
from gpuplay.views.text.layout import show


def list_kernels(*, json: bool) -> int:
    """List the kernels and their variants."""
    kernels, broken = _readable_kernels()
    if json:
        targets = [asdict(one) for one in offers()]
        print(jsons.dumps({"kernels": [_as_json(k) for k in kernels], "broken": broken, "targets": targets}, indent=1))
        return 0
    console = Console()
    show(console, listing.render(kernels, console.width, offers()))
    for name, reason in broken.items():
        print(f"gpuplay: {name} cannot be used: {reason}", file=sys.stderr)
    return 0


def welcome() -> int:
    """Say what gpuplay is, the kernels in a line each, and five lines to try."""
    console = Console()
    show(console, listing.welcome(_readable_kernels()[0], console.width))
    return 0


def _readable_kernels() -> tuple[list[Kernel], dict[str, str]]:
    """The bundled kernels, and the reasons why some cannot be read."""
    kernels, broken = [], {}
    for origin in bundled_kernels():
        try:
            kernels.append(load_kernel(origin).kernel)
        except KernelFileError as error:
            broken[origin.name] = str(error)
    return kernels, broken


def _as_json(kernel: Kernel) -> dict[str, Any]:
    return {
        "name": kernel.name,
        "summary": kernel.summary,
        "sizes": kernel.size,
        "params": {
            axis.name: {"help": axis.help, "default": axis.default, "choices": list(axis.choices)}
            for axis in kernel.axes
        },
        "variants": [
            {
                "name": variant.name,
                "class": variant.flynn,
                "idea": variant.idea,
                "knobs": {name: {"values": list(k.values), "default": k.default} for name, k in variant.knobs.items()},
            }
            for variant in kernel.variants
        ],
    }
