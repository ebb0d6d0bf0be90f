"""Every view to the letter, from scripted results, against the screens in ``tests/screens``.

``GPUPLAY_SCREENS=write pytest tests/views/test_screens.py`` writes the screens anew; read them before you keep them.
"""

from __future__ import annotations

import itertools
import os

import pytest
from places import TESTS
from scenes import coding, explaining, gpu_ladders, ladders, others, peers, tables

SCREENS = TESTS / "screens"
VIEWS = {
    **tables.VIEWS,
    **ladders.VIEWS,
    **gpu_ladders.VIEWS,
    **explaining.VIEWS,
    **coding.VIEWS,
    **peers.VIEWS,
    **others.VIEWS,
}
NARROW = {**tables.VIEWS, **ladders.VIEWS, **gpu_ladders.VIEWS, **coding.VIEWS}
WIDE = ("plain_sweep", "climbed_on_gpu", "explained_page")  # a table, a ladder, and source lines on a wide terminal


@pytest.mark.parametrize(("name", "width"), [*((name, 80) for name in VIEWS), *((name, 160) for name in WIDE)])
def test_a_view_looks_as_its_screen_does(name: str, width: int) -> None:
    screen = SCREENS / f"{name}-{width}.txt"
    text = VIEWS[name](width)
    if os.environ.get("GPUPLAY_SCREENS") == "write":
        screen.write_text(text, encoding="utf-8")
    assert text == screen.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "width"), [*((name, 60) for name in NARROW), *itertools.product(VIEWS, (80, 100, 160, 200))]
)
def test_no_line_is_wider_than_asked(name: str, width: int) -> None:
    assert max(map(len, VIEWS[name](width).splitlines())) <= width


def test_every_screen_is_asked_for() -> None:
    asked = {f"{name}-80.txt" for name in VIEWS} | {f"{name}-160.txt" for name in WIDE}
    assert {screen.name for screen in SCREENS.iterdir()} == asked
