"""What a reader takes away: CSV, a Markdown report, the same question to the command line. Knows no streamlit."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import date

from playground.downloads import csv_text, harmless
from playground.plan.fields import write_number
from playground.plan.links import PAGE_FIELDS
from playground.plan.setup import CUSTOM, ScaleSetup
from playground.plan.wording import Row, merged_names
from playground.scaling.notes import disagreements
from playground.state.link_fields import link_fields

Columns = Mapping[str, Sequence[Row]]


def to_csv(columns: Columns) -> str:
    """One line a number: scenario, name, value, unit, text, formula, formula with values, source."""
    lines = []
    for title, rows in columns.items():
        for row in rows:
            shown = row.figure
            extra = ["", "", row.text, "", "", ""]
            if shown is not None:
                extra = [repr(shown.value), shown.unit, row.text, shown.formula, shown.filled, shown.source]
            lines.append([title, *map(harmless, [row.name, *extra])])
    return csv_text(("scenario", "name", "value", "unit", "text", "formula", "with_values", "source"), lines)


def to_markdown(title: str, setup: ScaleSetup, page: str, columns: Columns, link: str, topics: Sequence[str]) -> str:
    """The whole page as a document: settings, numbers, workings, and where the notes disagree."""
    lines = [f"# {title}", "", f"Made on {date.today().isoformat()}. Link: <{link}>", "", "## Settings", ""]
    fields = link_fields(setup)
    for name in PAGE_FIELDS[page]:
        if name == "prices" and setup.prices is not None:
            lines.append(f"- {fields[name].label}: {len(setup.prices.prices)} uploaded prices")
        elif name != "own_config":
            value = getattr(setup, name)
            text = "as in the table" if value in (None, ()) else fields[name].write(value)
            lines.append(f"- {fields[name].label}: {_cell(text)}")
    lines += ["", "## Numbers", "", "| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    by_name = {column: {row.name: row for row in rows} for column, rows in columns.items()}
    for name in merged_names(columns):
        cells = [_text(rows.get(name)) for rows in by_name.values()]
        lines.append(f"| {_cell(name)} | " + " | ".join(cells) + " |")
    lines += ["", "## How each was computed", ""]
    for column, rows in columns.items():
        for row in rows:
            if row.figure is not None:
                lines.append(
                    f"- {column}, {_cell(row.name)}: `{row.figure.formula}` = `{row.figure.filled}` = {_cell(row.text)}"
                    f" ({_cell(row.figure.source)})"
                )
    concerned = [disagreement for disagreement in disagreements() if disagreement.topic in topics]
    if concerned:
        lines += ["", "## Where the course notes and the sources disagree", ""]
        lines += [f"- {disagreement.topic}: {disagreement.why}" for disagreement in concerned]
    return "\n".join(lines) + "\n"


def _text(row: Row | None) -> str:
    if row is None:
        return "–"
    return _cell(row.text + (f" ({row.note})" if row.note else ""))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;").replace("`", "'")


def to_commands(page: str, setup: ScaleSetup) -> tuple[str, ...]:
    """The ``calc`` lines that give the same numbers, as checked, without a browser."""
    return tuple("python -m playground calc " + shlex.join(words) for words in _words(page, setup))


def not_in_commands(page: str, setup: ScaleSetup) -> tuple[str, ...]:
    """A sentence for each thing on the page that the lines do not give."""
    sentences = []
    if setup.own_gpus and page in ("scale_model", "scale_training", "scale_laws", "scale_serving"):
        sentences.append("The command line has the built-in hardware table only, not the rows you edited.")
    if page == "scale_training" and setup.attention:
        sentences.append("The command counts 6ND: without the FLOPs of attention that the switch adds here.")
    if page == "scale_data":
        sentences.append("It gives the largest model that all text could train; the other numbers have no command.")
    elif setup.basis == "notes":
        sentences.append("The command line gives the checked numbers, not those of the notes.")
    return tuple(sentences)


def _words(page: str, setup: ScaleSetup) -> list[list[str]]:
    config = "config.json" if setup.config == CUSTOM else setup.config
    words: list[str]
    match page:
        case "scale_model":
            words = ["memory", "--config", config, "--context", str(setup.context), "--batch", str(setup.batch)]
            words += ["--gpus", str(setup.gpus), "--gpu", setup.gpu]
            if setup.purpose == "training":
                words += ["--training", setup.optimizer, "--zero", str(setup.zero), "--recompute", setup.recompute]
                words += ["--dtype", "float32" if setup.weights == "float32" else "bfloat16"]
            else:
                words += ["--dtype", setup.weights]
        case "scale_training":
            words = ["train", "--params", _params(setup), "--dataset-tokens", write_number(setup.dataset)]
            words += ["--epochs", write_number(setup.epochs), "--gpu", setup.gpu, "--count", str(setup.cluster)]
            words += ["--mfu", write_number(setup.mfu), "--pue", write_number(setup.pue)]
            words += ["--grid", write_number(setup.grid), *_price(setup)]
        case "scale_laws":
            size, law = write_number(setup.size), ["--law", setup.law]
            return [
                ["optimal", "--flops", write_number(setup.budget), *law],
                ["loss", "--params", size, "--tokens", write_number(setup.tokens), *law],
                ["lifetime", "--params", size, "--inference-tokens", write_number(setup.demand), *law],
            ]
        case "scale_serving":
            words = ["infer", "--config", config, "--gpu", setup.gpu, "--count", str(setup.gpus)]
            words += ["--dtype", setup.weights, "--batch", str(setup.batch)]
            words += ["--prompt-tokens", str(setup.prompt_tokens), "--new-tokens", str(setup.new_tokens)]
            words += ["--samples", str(setup.samples), *_price(setup)]
            for flag in ("compute_efficiency", "bandwidth_efficiency"):
                if getattr(setup, flag) != 1:
                    words += [f"--{flag.replace('_', '-')}", write_number(getattr(setup, flag))]
        case _:
            words = ["optimal", "--params", "15T", "--law", "rule-20"]
    return [words]


def _params(setup: ScaleSetup) -> str:
    from playground.plan.answers import training_params

    return write_number(training_params(setup))


def _price(setup: ScaleSetup) -> list[str]:
    return [] if setup.price is None else ["--price", write_number(setup.price)]
