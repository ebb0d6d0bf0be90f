"""Screens: what a view looks like, to the letter, in a text file.

``GPUPLAY_SCREENS=write pytest tests/test_views_explain.py`` writes the screens anew; read them before you keep them.
"""

from __future__ import annotations

import os
from pathlib import Path

SCREENS = Path(__file__).parent / "screens"


def kept(name: str, width: int, text: str) -> str:
    """What a screen of this name and width holds, once ``text`` was written there where that is asked for."""
    screen = SCREENS / f"{name}-{width}.txt"
    if os.environ.get("GPUPLAY_SCREENS") == "write":
        screen.write_text(text, encoding="utf-8")
    return screen.read_text(encoding="utf-8")
