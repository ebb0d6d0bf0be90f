"""The JSON Schemas that exports are held to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SWEEP: dict[str, Any] = json.loads((HERE / "schema.json").read_text(encoding="utf-8"))


def of_peers() -> dict[str, Any]:
    """The schema of the rows of ``peers``, around the schema of the results."""
    rows = json.loads((HERE / "peers_schema.json").read_text(encoding="utf-8"))
    properties = {name: SWEEP["properties"][name] for name in SWEEP["required"] if name != "schema"}
    return rows | {"properties": properties | rows["properties"], "$defs": SWEEP["$defs"] | rows["$defs"]}
