"""What leaves the Plan pages and comes back: commands, tables, reports, edited hardware, a measured machine."""

from __future__ import annotations

import csv
import io
import json
import shlex
from dataclasses import replace
from typing import Any

import pytest

from playground.cli import main
from playground.engine.api import CancelToken
from playground.engine.fake.engine import FakeEngine
from playground.plan.answers import fit_of, serving_of, training_cost
from playground.plan.gpu_rows import cells_of, edited_rows, own_rows
from playground.plan.law_answers import answer_laws, answer_lifetime
from playground.plan.law_pictures import lifetime_sentence
from playground.plan.links import plan_link, read_plan_link
from playground.plan.measure import measure
from playground.plan.report import not_in_commands, to_commands, to_csv, to_markdown
from playground.plan.setup import ScaleSetup
from playground.plan.wording import Row
from playground.scaling.figures import given
from playground.scaling.hardware import gpu_table
from playground.scaling.quantity import format_count

CHANGED = ScaleSetup(
    config="Jamba-v0.1",
    basis="notes",
    weights="int8",
    purpose="training",
    context=12_345,
    batch=3,
    gpu="H200",
    gpus=4,
    optimizer="adam-8bit",
    zero=2,
    recompute="full",
    params=1.5e9,
    dataset=2.5e12,
    epochs=2.5,
    cluster=48,
    mfu=0.31,
    price=2.25,
    pue=1.25,
    grid=0.05,
    attention=True,
    law="besiroglu",
    size=3e9,
    tokens=6e10,
    budget=1e21,
    before=3.1,
    after=2.9,
    demand=1e12,
    prompt_tokens=100,
    new_tokens=33,
    samples=5,
    compute_efficiency=0.5,
    bandwidth_efficiency=0.6,
    api="x/y",
    reasoning=64,
    cached=0.25,
    usable=0.75,
    language="Telugu",
    speakers=96e6,
    web_share=0.00019,
)


def calc(page: str, setup: ScaleSetup, capsys: pytest.CaptureFixture[str], line: int = 0) -> dict[str, Any]:
    words = shlex.split(to_commands(page, setup)[line])
    assert words[:3] == ["python", "-m", "playground"]
    assert main([*words[3:], "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert isinstance(document, dict)
    return document


def test_the_command_line_gives_the_same_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    setup = replace(CHANGED, basis="checked", attention=False)
    memory = calc("scale_model", setup, capsys)
    assert memory["total_bytes"] == pytest.approx(fit_of(setup).report.total_bytes)
    training = calc("scale_training", setup, capsys)
    assert training["cost_usd"] == pytest.approx(getattr(training_cost(setup).cost_usd, "value", None))
    serving = calc("scale_serving", setup, capsys)
    assert serving["prefill_s"] == pytest.approx(serving_of(setup).prefill_s)
    assert serving["decode_s_per_token"] == pytest.approx(serving_of(setup).decode_s_per_token)


def test_the_laws_commands_give_the_optimum_the_loss_and_the_lifetime(capsys: pytest.CaptureFixture[str]) -> None:
    optimum, loss, lifetime = (calc("scale_laws", CHANGED, capsys, line) for line in range(3))
    shown = {row.name: row.figure.value for row in answer_laws(CHANGED) if row.figure is not None}
    assert optimum["params"] == pytest.approx(shown["Optimal parameters"])
    assert loss["loss"] == pytest.approx(shown["Loss of N and D (nats)"])
    life = {row.name: row.figure.value for row in answer_lifetime(CHANGED) if row.figure is not None}
    assert lifetime["params"] == pytest.approx(life["Size for the least FLOPs"])
    assert lifetime["total_flops"] == pytest.approx(life["Lifetime compute"])
    assert lifetime_sentence(CHANGED).startswith(f"{format_count(lifetime['params'])} parameters")


def test_what_the_commands_do_not_give_is_said() -> None:
    assert len(not_in_commands("scale_training", CHANGED)) == 2  # attention, and the notes' numbers
    assert not any(not_in_commands(page, ScaleSetup()) for page in ("scale_model", "scale_training", "scale_serving"))
    assert "no command" in not_in_commands("scale_data", ScaleSetup())[0]


def test_edited_hardware_is_used_and_bad_rows_are_named() -> None:
    rows = [("H100 SXM", 989.4, 80.0, 3.35, 700.0, 3.495, "2026"), ("My card", 100.0, 24.0, 1.0, 300.0, 1.0, "today")]
    built_in = cells_of(gpu_table()["H100 SXM"])
    own_gpus, _problems = own_rows([built_in, rows[1]])
    assert [gpu.name for gpu in own_gpus] == ["My card"]
    setup = ScaleSetup(own_gpus=own_gpus, gpu="My card", params=1e9, dataset=1e9, cluster=1, mfu=0.5)
    bill = training_cost(setup)
    assert bill.seconds.value == pytest.approx(6e18 / 0.5e14)
    assert read_plan_link(plan_link(setup, "scale_training"), "scale_training").state == setup
    for column, bad in ((1, 0.0), (2, None), (5, 0.0), (0, ""), (0, "a~b"), (4, float("nan"))):
        row: list[Any] = list(rows[1])
        row[column] = bad
        taken, problems = own_rows([*(cells_of(gpu) for gpu in gpu_table().values()), tuple(row)])
        assert taken == () and len(problems) == 1 and "\n" not in problems[0]


def test_an_edited_table_keeps_what_is_not_complete_yet() -> None:
    base = tuple(cells_of(gpu) for gpu in gpu_table().values())
    edits = {"edited_rows": {0: {"W": 500}}, "added_rows": [{}, {"GPU": "Mine"}, {"GPU": ["x"], "GB": "8", "W": True}]}
    rows = edited_rows(base, edits)
    assert len(rows) == len(base) + 3 and rows[0][4] == 500.0 and rows[-2][:2] == ("Mine", None)
    assert rows[-1][0] is None and rows[-1][2] is None  # neither text nor number: no cell
    own_gpus, problems = own_rows(rows)
    assert [gpu.name for gpu in own_gpus] == [base[0][0]] and own_gpus[0].watts == 500.0
    assert problems[0].startswith("Mine: ")
    assert own_rows(base) == ((), ())
    (said,) = own_rows(edited_rows(base, {"deleted_rows": [0]}))[1]
    assert base[0][0] in said


def test_downloads_are_harmless_in_a_spreadsheet_and_in_markdown() -> None:
    evil = Row("=HYPERLINK(1)|<b>", "+1", given("=x", 1.0, "1", "@source"))
    lines = list(csv.reader(io.StringIO(to_csv({"Now": (evil,)}))))
    assert lines[1][1] == "'=HYPERLINK(1)|<b>" and lines[1][4] == "'+1" and lines[1][7] == "'@source"
    report = to_markdown("T", ScaleSetup(), "scale_model", {"Now": (evil,)}, "http://x", ())
    assert "<b>" not in report and "\\|" in report


def test_measuring_takes_each_length_once_and_fits_it() -> None:
    job = measure(FakeEngine(), CancelToken())
    steps = []
    with pytest.raises(StopIteration) as stopped:
        while True:
            steps.append(next(job))
    measured = stopped.value.value
    assert [step.share for step in steps] == sorted(step.share for step in steps)
    assert [length.prefill.tokens for length in measured.timing.lengths] == [16, 64, 128, 256, 512]
    assert measured.peaks.flops_per_s > 1e8 and measured.peaks.bytes_per_s > 1e7
