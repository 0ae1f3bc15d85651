"""``arch race`` and ``arch learn``: their fields, and one line for what cannot be."""

from __future__ import annotations

import pytest

from tests.cli.running import Capture, answer, refusal


def test_a_race_gives_a_row_for_each_model_and_context(capsys: Capture) -> None:
    race = answer(
        capsys,
        "arch",
        "race",
        "--config",
        "gru",
        "--config",
        "transformer",
        "--config",
        "llama-3-70b",
        "--contexts",
        "16,32",
    )
    rows = race["rows"]
    assert [(row["config"], row["context"]) for row in rows[:4]] == [
        ("GRU", 16),
        ("GRU", 32),
        ("Transformer", 16),
        ("Transformer", 32),
    ]
    for row in rows[:4]:
        assert row["state_bytes"] + row["cache_bytes"] == row["predicted_bytes"]
        assert row["prefill_s"] > 0 and row["decode_s_per_token"] > 0
    assert (
        rows[4]["prefill_s"] is None
        and rows[4]["note"]
        and rows[5]["predicted_bytes"] == 2 * rows[4]["predicted_bytes"]
    )
    assert race["exponents"]["Transformer"]["state"] == pytest.approx(1) and race["exponents"]["GRU"]["state"] == 0


def test_learning_gives_its_steps_and_the_accuracy_at_each_size(capsys: Capture) -> None:
    learning = answer(
        capsys,
        "arch",
        "learn",
        "--task",
        "mqar",
        "--model",
        "h3",
        "--pairs",
        "2",
        "--width",
        "8",
        "--steps",
        "21",
        "--seed",
        "7",
    )
    assert (
        [step["step"] for step in learning["steps"]] == [20, 21]
        and learning["parameters"] > 0
        and learning["seconds"] > 0
    )
    shares = {each["pairs"]: each["accuracy"] for each in learning["accuracies"]}
    assert shares[2] == learning["accuracy"] and all(0 <= share <= 1 for share in shares.values())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["race", "--contexts", "0"], "contexts: '0'"),
        (["race", "--config", "no-such"], "neither a preset nor a file"),
        (["race", "--seed", "-1"], "--seed"),
        (["learn", "--task", "chess"], "--task: there is no task 'chess'"),
        (["learn", "--task", "mqar", "--length", "4"], "--length: the task mqar has a --pairs"),
        (["learn", "--task", "mqar", "--pairs", "0"], "--pairs must be a whole number from 2"),
        (["learn", "--task", "mqar", "--model", "rnn"], "does not fit the task"),
        (["learn", "--task", "reverse", "--width", "0"], "--width must be"),
        (["learn", "--task", "reverse", "--steps", "x"], "--steps must be"),
        (["learn", "--task", "reverse", "--learning-rate", "nan"], "learning_rate must be above 0"),
        (["learn", "--task", "reverse", "--learning-rate", "fast"], "--learning-rate must be a number"),
    ],
)
def test_what_cannot_be_is_one_line(capsys: Capture, words: list[str], said: str) -> None:
    assert said in refusal(capsys, "arch", *words)
