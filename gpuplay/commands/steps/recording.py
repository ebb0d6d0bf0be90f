"""The record that a command begins, and the roofs in it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gpuplay.analysis.sweep import roofline
from gpuplay.commands.steps.gpus import facts_of
from gpuplay.commands.steps.opened import Opened
from gpuplay.machine import describe, roofs
from gpuplay.machine.model import Machine
from gpuplay.plan.settings import Settings
from gpuplay.results.record import Record, begun
from gpuplay.targets import why_not
from gpuplay.workers.crew import ORDINARY, Crew


def begun_here(opened: Opened, settings: Settings, machine: Machine) -> Record:
    """An empty record of this command on this machine, its roofs measured if they never were."""
    facts = describe.facts() | opened.crew.tasks(ORDINARY).facts()
    facts["gpu"] = None if machine.gpu.modelled else facts_of(opened.gpu(settings.device))
    facts["gpu_reason"] = why_not("cuda", settings.device) if machine.gpu.modelled else ""
    return begun(settings.seed, facts, _roofs(opened.crew, facts, settings.device))


def with_sound_roofs(record: Record, crew: Crew) -> Record:
    """Measure the roofs again if a result beat them: then they were measured while the machine was busy."""
    beaten = [
        result
        for result in record.results
        if result.time
        and (above := roofline.roof(result, record.roofs, record.machine))
        and (above.fraction(result.time.median_s) or 0.0) > 1.0
    ]
    if not beaten or record.roofs is None or all(result.cell.kind.on_gpu for result in beaten):
        return record
    print(f"{beaten[0].cell.label} beat the kept roof: measuring the roofs again", file=sys.stderr)
    better = roofs.merged(record.roofs, crew.tasks(ORDINARY).roofs())
    roofs.save(describe.fingerprint(record.machine), better)
    return replace(record, roofs=better)


def _roofs(crew: Crew, facts: Mapping[str, Any], device: int) -> Mapping[str, Any]:
    """The machine's roofs, kept from an earlier command or measured now."""
    name = describe.fingerprint(facts)
    kept = roofs.load(name)
    known = (kept or {}).get("gpu") or {}
    missing_gpu = facts["gpu"] is not None and known.get("name") != facts["gpu"]["name"]
    if kept is not None and not missing_gpu:
        return kept
    print("measuring this machine's roofs, once: a few seconds", file=sys.stderr)
    tasks = crew.tasks(ORDINARY)
    kept = kept or tasks.roofs()
    if missing_gpu:
        kept = {**kept, "gpu": tasks.gpu_roofs(device)}
    roofs.save(name, kept)
    return kept
