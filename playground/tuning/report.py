"""A tuning as a document that can be handed on: the decision, its numbers, the texts, and the command that repeats it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from playground.generation.document import Origin, public_id
from playground.tuning.decision import Findings
from playground.tuning.document import Block, Fold, Heading, Items, Paragraph, Part, Table, to_html, to_markdown
from playground.tuning.measures import Measure
from playground.tuning.plan import CONTROL, Plan
from playground.tuning.plan_file import plan_json
from playground.tuning.running import PlanTexts
from playground.tuning.setting_text import OFF, settings_text
from playground.tuning.statistics import Interval

MOST_TEXTS = 3_000  # a longer document opens slowly; the plan writes the same texts again


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """``written_at``: when, seconds since 1970. ``judges``: sentences on what people prefer, none where nobody was asked.

    ``link``: to the page with it, "" for none. ``command``: what is to be said beside ``--plan plan.json``.
    """

    name: str
    written_at: float
    origin: Origin
    plan: Plan
    texts: PlanTexts
    findings: Findings
    judges: Sequence[str] = ()
    link: str = ""
    command: Sequence[str] = ()

    def markdown(self) -> str:
        """The whole document."""
        return to_markdown(self.name, _parts(self))

    def html(self) -> str:
        """The same as one file that opens offline."""
        return to_html(self.name, _parts(self))


def interval_words(interval: Interval) -> str:
    """A mean with its bounds."""
    if interval.mean is None:
        return "no value"
    bounds = "" if interval.low is None or interval.high is None else f" ({interval.low:.3g} to {interval.high:.3g})"
    return f"{interval.mean:.3g}{bounds}"


def comparison_rows(findings: Findings) -> list[tuple[str, ...]]:
    """Each difference from the present setting: setting, measure, difference, 95% interval, p, p after correction."""
    rows = []
    for each in findings.comparisons:
        own = each.difference
        numbers = [own.difference, own.low, own.high]
        cells = ["" if value is None else f"{value:+.3g}" for value in numbers]
        between = f"{cells[1]} to {cells[2]}" if cells[1] and cells[2] else ""
        p = ["" if value is None else f"{value:.2g}" for value in (own.p, own.p_adjusted)]
        rows.append((each.a, each.measure, cells[0] or "no value", between, *p, str(own.prompts)))
    return rows


COMPARISON_HEAD = ("setting", "measure", "difference", "95%", "p", "p (Holm)", "examples")


def _parts(report: Report) -> list[Part]:
    plan, findings, origin = report.plan, report.findings, report.origin
    date = datetime.fromtimestamp(report.written_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    counts = (
        f"{len(plan.examples)} examples, {len(plan.settings)} settings and the control, {plan.samples} samples each: "
        f"{plan.texts:,} texts of at most {plan.max_new_tokens:,} tokens, seed {plan.seed}"
    )
    about = f"Made {date} by {origin.name} ({origin.dtype} on {origin.device}); {counts}."
    parts: list[Part] = [Paragraph(findings.recommendation.text, lead=True)]
    parts += [Paragraph(sentence) for sentence in report.judges]
    parts += [Paragraph(about), *([Paragraph(f"Link: {report.link}")] if report.link else [])]
    parts += [Heading("Settings"), _settings_table(plan), Heading("Measured"), _measured(findings.intervals)]
    parts.append(Paragraph("Means over the examples with their 95% intervals, by bootstrap over examples."))
    if findings.comparisons:
        parts += [Heading(f"Against {plan.present}"), Table(COMPARISON_HEAD, comparison_rows(findings))]
        parts.append(
            Paragraph(
                "Paired by example; p by flipping signs, corrected by Holm within a measure. The control is the "
                "present setting once more with other random numbers."
            )
        )
    parts += [Heading("What the measures see, and what not"), Items([_meaning(each) for each in plan.measures])]
    return [*parts, Heading("Texts"), *_texts(report), Heading("The same again"), *_again(report)]


def _settings_table(plan: Plan) -> Table:
    rows = [(name, (settings_text(settings) or OFF)) for name, settings in plan.settings.items()]
    return Table(("name", "settings"), [*rows, (CONTROL, f"{plan.present} once more, with other random numbers")])


def _measured(intervals: Mapping[str, Mapping[str, Interval]]) -> Table:
    names = list(next(iter(intervals.values())))
    rows = [(arm, *(interval_words(own[name]) for name in names)) for arm, own in intervals.items()]
    return Table(("setting", *names), rows)


def _meaning(measure: Measure) -> str:
    way = {1: "more is better", -1: "less is better", 0: "neither is better"}[measure.better]
    return f"{measure.name} ({way}): {measure.definition} Blind spot: {measure.blind_spot}"


def _texts(report: Report) -> list[Part]:
    plan, folds = report.plan, list[Part]()
    shown = max(1, MOST_TEXTS // (len(plan.arms) * plan.samples))
    for place, example in enumerate(plan.examples[:shown]):
        parts: list[Part] = [Paragraph("Prompt"), Block(example.prompt)]
        parts += [Paragraph("System prompt"), Block(example.system)] if example.system else []
        parts += [Paragraph("Reference"), Block(example.reference)] if example.reference else []
        for arm in plan.arms:
            for number, sample in enumerate(report.texts.texts[arm][place], 1):
                which = f" ({number})" if plan.samples > 1 else ""
                parts += [Paragraph(f"{arm}{which}, ended by {sample.finish_reason}"), Block(sample.text)]
        folds.append(Fold(f"{place + 1}. {' '.join(example.prompt.split())[:80]}", parts))
    if shown < len(plan.examples):
        folds.append(Paragraph(f"Of the other {len(plan.examples) - shown} examples the plan writes the same again."))
    return folds


def _again(report: Report) -> list[Part]:
    words = ["python", "-m", "playground", "tune", "run", "--plan", "plan.json"]
    words += [f"--model={public_id(report.origin.id)}", *report.command]
    return [
        Paragraph("Save the plan below as plan.json and run:"),
        Block(shlex.join(words)),
        Paragraph("On another machine or dtype single tokens may differ."),
        Fold("plan.json", [Block(plan_json(report.plan).rstrip())]),
    ]
