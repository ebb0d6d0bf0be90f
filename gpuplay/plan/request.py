"""What is asked for, checked against the kernel's declaration: from words to a `Request`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from gpuplay.errors import TargetMissing, UsageError, closest
from gpuplay.kernel import Kernel, Param, Problem, Value
from gpuplay.kinds.known import names as known_targets
from gpuplay.plan.settings import Settings
from gpuplay.plan.sizes import parse_sizes
from gpuplay.units import option_text

WhyNot = Callable[[str], str]


@dataclass(frozen=True)
class Choice:
    """Problems and variants in the user's words; ``axes`` are the params and knobs that are given, as comma lists."""

    sizes: str | None = None
    on: str | None = None
    baseline: str | None = None
    threads: str | None = None
    axes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What the user asked for, checked against the declaration; ``missing`` maps targets to reasons.

    ``problems`` take the place of all sizes by all params, where not every combination is wanted.
    For ``checking`` a barred knob value is skipped, though it is barred everywhere.
    """

    sizes: tuple[int, ...]
    variants: tuple[str, ...]
    baseline: str | None
    threads: tuple[int, ...]
    params: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    knobs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    checking: bool = False
    problems: tuple[Problem, ...] = ()


def build_request(
    kernel: Kernel,
    choice: Choice,
    settings: Settings,
    *,
    cores: int,
    why_not: WhyNot,
    default: Iterable[str] | None = None,
    checking: bool = False,
) -> Request:
    """Check every word and say what to type instead.

    ``default`` are the variants where the choice names none, the story unless given. For ``checking`` a barred knob
    value is no error. A missing GPU is one for variants that can only run there: the others are verified all the same.
    """
    on, baseline = choice.on, choice.baseline
    asked = chosen_names(kernel, on) if on is not None else None
    chosen = list(asked if asked is not None else default or kernel.story_names)
    base = _baseline(kernel, baseline)
    if base and base != "best" and base not in chosen:
        chosen.insert(0, base)
    if settings.graph and not any(kernel.variant(name).kind.on_gpu for name in chosen):
        raise UsageError(f"--graph: none of {', '.join(chosen)} runs on a GPU; add --on cuda")
    if base == "best":
        chosen = [*dict.fromkeys([*_libraries(kernel, chosen), *chosen])]
    missing = {t: why_not(t) for t in dict.fromkeys(kernel.variant(name).target for name in chosen)}
    missing = {target: reason for target, reason in missing.items() if reason}
    if asked is not None:
        for name in asked:
            target = kernel.variant(name).target
            if target in missing and not kernel.variant(name).kind.stepped:
                raise TargetMissing(f"--on {on}: {target} is not here: {missing[target]}")
    if baseline is not None and base in chosen and kernel.variant(base).target in missing:
        target = kernel.variant(base).target
        raise TargetMissing(f"--baseline {baseline}: {target} is not here: {missing[target]}")
    if base == "best":
        here = [name for name in _libraries(kernel, chosen) if kernel.variant(name).target not in missing]
        base = here[0] if len(here) == 1 else base
    missing = {target: reason.partition(";")[0] for target, reason in missing.items()}
    knobs = {knob for variant in kernel.variants for knob in variant.knobs}
    params = {axis.name: axis for axis in kernel.axes}
    ordered = [name for name in (v.name for v in kernel.variants) if name in chosen]
    return Request(
        sizes=parse_sizes(choice.sizes if choice.sizes is not None else kernel.size),
        variants=tuple(ordered),
        baseline=base,
        threads=_threads(choice.threads, cores),
        params={name: param_values(params[name], text) for name, text in choice.axes.items() if name in params},
        knobs={name: _counts(option_text(name), text) for name, text in choice.axes.items() if name in knobs},
        missing=missing,
        settings=settings,
        checking=checking,
    )


def param_values(axis: Param, text: str) -> tuple[Value, ...]:
    """The values of a param in a comma list; UsageError where one is none of its choices or out of range."""
    option = option_text(axis.name)
    words = [word.strip() for word in text.split(",")]
    values: list[Value] = []
    for word in words:
        if axis.choices:
            match = next((choice for choice in axis.choices if str(choice) == word), None)
            if match is None:
                choices = ", ".join(map(str, axis.choices))
                raise UsageError(f"{option} {text}: {word!r} is none of {choices}{_near(word, axis.choices)}")
            values.append(match)
        else:
            values.append(_whole(word, option, text, axis.low, axis.high))
    return tuple(dict.fromkeys(values))


def chosen_names(kernel: Kernel, text: str) -> tuple[str, ...]:
    """The variants that ``--on`` names: a bare target means all of its variants."""
    names = [variant.name for variant in kernel.variants]
    found: list[str] = []
    for word in (w.strip() for w in text.split(",")):
        matches = [name for name in names if word in (name, name.partition(":")[0])]
        if not matches:
            targets = dict.fromkeys(variant.target for variant in kernel.variants)
            if word in known_targets():
                raise UsageError(f"--on {text}: {kernel.name} has no variant on {word}; it has {', '.join(names)}")
            known = [*targets, *names]
            raise UsageError(
                f"--on {text}: no variant or target {word!r}{_near(word, known)}; there are {', '.join(known)}"
            )
        found += matches
    return tuple(dict.fromkeys(found))


def _baseline(kernel: Kernel, text: str | None) -> str | None:
    if text is None:
        return kernel.baseline_name
    if text == "none":
        return None
    if text == "best":
        if not any(variant.flynn == "library" for variant in kernel.variants):
            raise UsageError(
                f"--baseline best: {kernel.name} has no library variant; name one of its variants, or none"
            )
        return text
    names = [variant.name for variant in kernel.variants]
    if text not in names:
        raise UsageError(
            f"--baseline {text}: no such variant{_near(text, names)}; there are {', '.join(names)}, best, none"
        )
    return text


def _libraries(kernel: Kernel, beside: Iterable[str]) -> list[str]:
    """The variants among which ``best`` chooses, size by size: those on a GPU where others on a GPU are measured."""
    on_gpu = any(kernel.variant(name).kind.on_gpu for name in beside)
    libraries = (variant for variant in kernel.variants if variant.flynn == "library" and not variant.precision)
    return [variant.name for variant in libraries if on_gpu or not variant.kind.on_gpu]


def _threads(text: str | None, cores: int) -> tuple[int, ...]:
    return (cores,) if text is None else _counts("--threads", text, high=1024)


def _counts(option: str, text: str, high: int = 2**20) -> tuple[int, ...]:
    return tuple(dict.fromkeys(_whole(word.strip(), option, text, 1, high) for word in text.split(",")))


def _whole(word: str, option: str, text: str, low: int, high: int) -> int:
    try:
        value = int(word.replace("_", ""))
    except ValueError:
        given = f"{word!r} is no whole number" if word else "a value is missing"
        raise UsageError(f"{option} {text!r}: {given}; write one such as {max(low, 1)}, or a comma list") from None
    if not low <= value <= high:
        raise UsageError(f"{option} {text}: {value} is outside {low} to {high}")
    return value


def _near(word: str, known: Iterable[object]) -> str:
    close = closest(word, known)
    return f" (did you mean {close}?)" if close else ""
