"""What is kept under docs/results is possible: no variant is above the machine's roof by its own work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from places import DOCS

RECORDED = sorted((DOCS / "results").glob("*/*.json"))


def results(record: Any) -> Iterator[dict[str, Any]]:
    """Every result in a record, wherever it stands."""
    if isinstance(record, dict):
        if "variant" in record and "status" in record:
            yield record
        else:
            for part in record.values():
                yield from results(part)
    elif isinstance(record, list):
        for part in record:
            yield from results(part)


def shortest_s(result: dict[str, Any], roofs: dict[str, Any], cache_bytes: int) -> float:
    """The time that its arithmetic takes at the fma roof, or its bytes at memory's where no cache holds them."""
    cores = "one" if result["threads"] == 1 else "all"
    work = result["work"]
    arithmetic = work["flops"] / roofs[f"fma_{result['params']['dtype']}"][cores]
    if work["bytes"] <= cache_bytes:
        return arithmetic
    return max(arithmetic, work["bytes"] / max(roofs[name][cores] for name in ("copy", "copy_streaming", "read")))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_recorded_variant_is_above_its_roof(path: Path) -> None:
    record = json.loads(path.read_text(encoding="utf-8"))
    cache_bytes = max(size or 0 for size in record["machine"]["caches"].values())
    timed = [result for result in results(record) if result["status"] == "ok"]
    assert timed
    above = {
        f"{result['variant']} {result['size']} {result['params']}": shortest / result["time"]["median_s"]
        for result in timed
        if (shortest := shortest_s(result, record["roofs"], cache_bytes)) > result["time"]["median_s"]
    }
    assert not above


def test_there_are_recorded_results() -> None:
    assert len(RECORDED) >= 5
