"""Row by row the figures asked for and the figures reached; with detail, case by case who stood against whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from gpuplay.analysis.peers.judging import Answer, Judgement, labels
from gpuplay.analysis.peers.report import PeersReport, figure, reached, sentences, wording
from gpuplay.peers.terms import Promise
from gpuplay.results.result import Result
from gpuplay.units import count
from gpuplay.units import seconds as time_text
from gpuplay.views.peers.figures import NOISE, cases, summary
from gpuplay.views.sweep.headings import machine_text
from gpuplay.views.text.figures import legends
from gpuplay.views.text.layout import INDENT, WIDEST_TEXT, join, pack, stack, width_of, wrap

FLOAT32 = "ours against the best library, float32, medians"
PRECISIONS = "ours against the best library of the same precision, medians"
QUICK = "quick: a few cases and short times; a run without --quick decides"


def render(report: PeersReport, width: int, *, detail: bool = False, elapsed_s: float | None = None) -> Text:
    """The page as text, no line wider than ``width`` unless a single word is."""
    lines = head(report, width)
    fitted = [block for block in (summary(report, wide=True), summary(report)) if width_of(block) + INDENT <= width]
    lines += [Text(), *_spaced(join((fitted or [summary(report)])[0], INDENT), report)]
    if detail:
        for judgement in report.judgements:
            lines += [Text(), Text(f"{' ' * INDENT}{judgement.promise.name}", style="bold")]
            lines += join(cases(judgement), INDENT)
            for text in algorithms(judgement):
                lines += wrap(text, min(width, WIDEST_TEXT), first=" " * INDENT, rest=" " * (INDENT + 2))
    lines += [Text(), *pack(legend(report), min(width, WIDEST_TEXT), INDENT)]
    said = list(sentences(report))
    if elapsed_s is not None:
        said[-1] = f"{said[-1].removesuffix('.')} · {time_text(elapsed_s)}"
    for sentence in said:
        lines += wrap(sentence, min(width, WIDEST_TEXT), first=" " * INDENT, rest=" " * (INDENT + 2))
    return stack(lines)


def head(report: PeersReport, width: int) -> list[Text]:
    """The title, the machine, the libraries, and what the reader must know of them."""
    machine = machine_text(report.record.machine)
    promises = [judgement.promise for judgement in report.judgements]
    texts = [f"peers  {title(promises)}", machine, libraries(report.record.results)]
    texts += dict.fromkeys(remark for judgement in report.judgements for remark in judgement.remarks)
    hosted = (promise for promise in promises if not promise.kind.on_gpu)
    asked = {promise.cores for promise in hosted} - {report.record.machine.get("cores")}
    if asked:
        texts.append(f"the figures are meant for {count(max(asked), 'core')}")
    if report.quick:
        texts.append(QUICK)
    lines = [line for text in texts if text for line in wrap(text, width)]
    lines[0] = Text("peers", style="bold") + Text(lines[0].plain.removeprefix("peers"))
    return lines


def title(promises: Iterable[Promise]) -> str:
    """What stands against what; float32 on the CPU, on a GPU each row in its precision."""
    return PRECISIONS if any(promise.kind.on_gpu for promise in promises) else FLOAT32


def libraries(results: Iterable[Result]) -> str:
    """What the library variants called, each once at its longest, and the threads they were given."""
    called = [result for result in results if result.flynn == "library" and result.library]
    known = dict.fromkeys(result.library for result in called)
    longest = [text for text in known if not any(other.startswith(f"{text}, ") for other in known)]
    threads = [result.cell.threads for result in called if not result.cell.kind.on_gpu]
    given = f", {count(max(threads), 'thread')}" if threads else ""
    return f"libraries{given}: {'; '.join(longest)}" if known else ""


def algorithms(judgement: Judgement) -> list[str]:
    """What the best library of each case really ran, as far as it was found out."""
    ran: dict[str, list[str]] = {}
    for standing in judgement.standings:
        if standing.rival and standing.rival.algorithm:
            ran.setdefault(standing.rival.algorithm, []).append(standing.label)
    return [f"the library ran {name} at {', '.join(labels)}" for name, labels in ran.items()]


def legend(report: PeersReport) -> list[str]:
    """What the figures are, and what the marks mean that are there."""
    shown = summary(report)
    said = ["mean: geometric; × how many times as fast as the best library of the case"] if shown[0].cells else []
    return [*said, *legends((NOISE,), shown)]


def line(judgement: Judgement, number: int, asked: int) -> str:
    """One row as soon as it is judged: '[3/17] lstm holds: mean of 5 cases 1.12 × of 1.10 ×; …'."""
    parts = [f"{wording(f.need, len(judgement.promise.cases))} {_of(f)}" for f in judgement.answers]
    return f"[{number}/{asked}] {judgement.promise.name} {judgement.state}: {'; '.join(parts)}"


def planned(rows: Sequence[Promise], width: int) -> Text:
    """What would be measured, and the figures asked for; nothing was run."""
    lines = wrap(f"peers  {title(rows)}", width)
    lines[0] = Text("peers", style="bold") + Text(lines[0].plain.removeprefix("peers"))
    for row in rows:
        name = labels(row.cases)
        needs = "; ".join(f"{wording(n, len(row.cases))} ≥ {figure(n, n.at_least)}" for n in row.needs)
        params = "".join(f", {key} {value}" for key, value in row.params)
        lines += [Text(), Text(f"{' ' * INDENT}{row.name}", style="bold")]
        lines += wrap(f"{row.kernel}{params}: {'; '.join(name(case) for case in row.cases)}", width, first="    ")
        lines += wrap(f"needs {needs}", width, first="    ", rest="      ")
    return stack([*lines, Text(), Text("  Nothing was run.")])


def _of(answer: Answer) -> str:
    return f"{reached(answer)} of {figure(answer.need, answer.need.at_least)}"


def _spaced(drawn: Sequence[Text], report: PeersReport) -> Iterator[Text]:
    """An empty line before each row that takes several."""
    place = len(drawn) - sum(len(judgement.answers) for judgement in report.judgements)
    yield from drawn[:place]
    for number, judgement in enumerate(report.judgements):
        many = len(judgement.answers) > 1 or (number and len(report.judgements[number - 1].answers) > 1)
        if number and many:
            yield Text()
        yield from drawn[place : place + len(judgement.answers)]
        place += len(judgement.answers)
