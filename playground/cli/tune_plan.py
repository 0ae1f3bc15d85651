"""``python -m playground tune run``: a plan's texts written, measured and compared; fit for a build that must fail."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.cli import options, output
from playground.errors import BadInput

if TYPE_CHECKING:
    from playground.engine.api import Engine
    from playground.tuning.decision import Findings
    from playground.tuning.plan import Plan
    from playground.tuning.running import PlanTexts


def run(args: argparse.Namespace) -> int:
    """Write, measure, compare, print. Status 1 where ``require`` is not met."""
    from playground.tuning.decision import decide

    for name in args.report:
        if Path(name).suffix.lower() not in (".md", ".html"):
            raise BadInput(f"--report: {name!r} is neither Markdown nor HTML; end it with .md or .html.", "report")
    plan = _read(args.plan)
    engine = options.open_engine(args)
    for settings in plan.settings.values():
        options.refuse_unknown_biases(settings, engine.info.vocab_size)
    summary = f"{plan.texts:,} texts of at most {plan.max_new_tokens:,} tokens: {plan.most_tokens:,} tokens at most"
    print(summary, file=sys.stderr)
    texts = _write(engine, plan)
    values = {measure.name: texts.values(measure, plan) for measure in plan.measures}
    findings = decide(plan.arms, values, plan.measures, samples=plan.samples, seed=plan.seed)
    failures = findings.failures(plan.require, plan.measures)
    result = _result(engine, plan, findings, failures)
    if args.out is not None:
        whole = result | {"texts": _texts(plan, texts)}
        _save("--out", args.out, json.dumps(whole, ensure_ascii=False, allow_nan=False, indent=1))
    if args.report:
        _report(args, engine, plan, texts, findings)
    if args.json:
        output.print_json(result)
    else:
        _print_readable(result)
    return 1 if failures else 0


def _read(name: str) -> Plan:
    from playground.tuning.examples import Example, read_examples
    from playground.tuning.plan_file import read_plan_text

    def read_file(file: str) -> tuple[Example, ...]:
        path = Path(name).parent / file
        return read_examples(options.read_file(str(path), "--plan: examples"), file)[0]

    return read_plan_text(options.read_text_file(name, "--plan"), read_file)


def _write(engine: Engine, plan: Plan) -> PlanTexts:
    from playground.tuning.running import write_texts

    steps, shown = write_texts(engine, plan), sys.stderr.isatty()
    while True:
        try:
            done = next(steps).done
        except StopIteration as end:
            if shown:
                print(file=sys.stderr)
            texts: PlanTexts = end.value
            return texts
        if shown:
            print(f"\r{done:,} of {plan.texts:,} texts", end="", file=sys.stderr, flush=True)


def _result(engine: Engine, plan: Plan, findings: Findings, failures: tuple[str, ...]) -> dict[str, Any]:
    return {
        "model": engine.info.id,
        "examples": len(plan.examples),
        "samples": plan.samples,
        "results": [
            {"setting": arm, "measures": {name: asdict(interval) for name, interval in measured.items()}}
            for arm, measured in findings.intervals.items()
        ],
        "comparisons": [
            {"a": each.a, "b": each.b, "measure": each.measure, **asdict(each.difference)}
            for each in findings.comparisons
        ],
        "recommendation": asdict(findings.recommendation),
        "required": dict(plan.require),
        "failures": list(failures),
    }


def _texts(plan: Plan, texts: PlanTexts) -> list[dict[str, Any]]:
    return [
        {"setting": arm, "example": place, "sample": number, "text": sample.text, "finish_reason": sample.finish_reason}
        for arm in plan.arms
        for place, samples in enumerate(texts.texts[arm])
        for number, sample in enumerate(samples)
    ]


def _report(args: argparse.Namespace, engine: Engine, plan: Plan, texts: PlanTexts, findings: Findings) -> None:
    from playground.generation.document import origin_of
    from playground.tuning.report import Report

    given = [f"--{name}={value}" for name in ("dtype", "device") if (value := getattr(args, name, None))]
    name = Path(args.plan).stem
    report = Report(name, time.time(), origin_of(engine.info), plan, texts, findings, command=given)
    for file in args.report:
        _save("--report", file, report.html() if Path(file).suffix.lower() == ".html" else report.markdown())


def _save(flag: str, name: str, text: str) -> None:
    try:
        Path(name).write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BadInput(f"{flag}: {name!r} cannot be written ({error}); choose another place.", flag[2:]) from None


def _print_readable(result: dict[str, Any]) -> None:
    from playground.engine.text.display import glyphs

    def cell(measured: dict[str, Any]) -> str:
        if measured["mean"] is None:
            return "no value"
        bounds = "" if measured["low"] is None else f" ({measured['low']:.3g} to {measured['high']:.3g})"
        return f"{measured['mean']:.3g}{bounds}"

    names = list(result["results"][0]["measures"])
    rows = [(row["setting"], *(cell(row["measures"][name]) for name in names)) for row in result["results"]]
    output.print_table(("setting", *names), rows)
    print(glyphs(result["recommendation"]["text"]))
    for failure in result["failures"]:
        print(glyphs(failure))
