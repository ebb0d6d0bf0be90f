"""Where things are that tests read or run."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parent
PROOFS = TESTS / "proofs"
PLANTED = TESTS / "planted"
DOCS = ROOT / "docs"
