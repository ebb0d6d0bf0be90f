"""The kernel of docs/simd.md works, at the host's width and at others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from places import DOCS
from product import only_in_all

from gpuplay.intrinsics.host import width

PAGE = (DOCS / "simd.md").read_text(encoding="utf-8")
EXAMPLE = re.search(r"Save this as `(\w+\.py)`:\s+```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("bits", ["", pytest.param("128", marks=only_in_all)], ids=["host", "128-bits"])
def test_the_kernel_of_the_page_is_right(gpuplay, tmp_path, bits):
    name, source = EXAMPLE.groups()
    (tmp_path / name).write_text(source, encoding="utf-8")
    done = gpuplay("check", f"./{name}", folder=tmp_path, **({width.VARIABLE: bits} if bits else {}))
    assert done.code == 0, done.out + done.err
    assert "variants (knob values apart) right" in done.out


def test_the_page_names_every_operation():
    from_source = (Path(width.__file__).parents[1] / "simd.py").read_text(encoding="utf-8")
    missing = [name for name in re.findall(r"@intrinsic\ndef (\w+)", from_source) if f"`{name}" not in PAGE]
    assert [name for name in missing if f", {name}" not in PAGE and f"{name}(" not in PAGE] == []
