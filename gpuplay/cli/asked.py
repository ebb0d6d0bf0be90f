"""From the words of a command line to the frozen values that commands take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpuplay.commands.asked import Asked, CodeAsked, ExplainAsked, LadderAsked, Output
from gpuplay.errors import UsageError
from gpuplay.kernel import Kernel
from gpuplay.plan.request import Choice
from gpuplay.plan.settings import Settings
from gpuplay.targets import presence
from gpuplay.units import option_text, parse_duration

Words = Mapping[str, Any]  # what Typer made of a command line, by the options' names

DURATIONS = ("time", "cell_time", "cell_limit", "cell_timeout")


def sweep_asked(kernel: Kernel, words: Words) -> Asked:
    """What a kernel's own command is asked for."""
    return Asked(choice_of(kernel, words), settings_of(words), output_of(words))


def ladder_asked(kernel: Kernel, words: Words) -> LadderAsked:
    """What ``gpuplay ladder`` is asked for."""
    return LadderAsked(choice_of(kernel, words), settings_of(words), output_of(words), diff=words["diff"])


def explain_asked(kernel: Kernel, words: Words) -> ExplainAsked:
    """What ``gpuplay explain`` is asked for."""
    return ExplainAsked(choice_of(kernel, words), settings_of(words), output_of(words), map=words["map"])


def code_asked(kernel: Kernel, words: Words) -> CodeAsked:
    """What ``gpuplay code`` is asked for."""
    form, arch = words["form"], words["arch"]
    return CodeAsked(choice_of(kernel, words), settings_of(words), output_of(words), form=form, arch=arch)


def choice_of(kernel: Kernel, words: Words) -> Choice:
    """The words that choose problems and variants; params and knobs that are not given are left out."""
    axes = {axis.name for axis in kernel.axes} | {knob for variant in kernel.variants for knob in variant.knobs}
    return Choice(
        sizes=words["sizes"],
        on=words["on"],
        baseline=words.get("baseline"),
        threads=words.get("threads"),
        axes={name: text for name, text in words.items() if name in axes and text is not None},
    )


def settings_of(words: Words) -> Settings:
    """The measuring options as settings; what a command does not offer keeps its default. UsageError otherwise."""
    if not 1 <= words.get("rounds", 1) <= 100:
        raise UsageError(f"--rounds {words['rounds']}: give 1 to 100")
    if words["seed"] < 0:
        raise UsageError(f"--seed {words['seed']}: give a whole number from 0")
    given = {name: words[name] for name in ("rounds", "seed", "cold", "graph", "keep_going") if name in words}
    for name in DURATIONS:
        if words.get(name) is not None:
            given[f"{name}_s"] = parse_duration(words[name], option_text(name))
    if "device" in words:
        given["device"] = presence.find_device(words["device"])
    return Settings(**given)


def output_of(words: Words) -> Output:
    """Where results go."""
    flags = {name: words[name] for name in ("json", "detail", "plan", "plain", "debug") if name in words}
    return Output(export=tuple(words.get("export") or ()), **flags)
