"""The loop: seeds repeat it, a checkpoint goes on with the same losses, only the adapter is taught, divergence is seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from playground.errors import BadInput, ModelRefused, TrainingDiverged
from playground.models.describing import describe
from playground.models.loading import load
from playground.models.locating import locate
from playground.training.checkpoint import load_checkpoint, save_checkpoint
from playground.training.demonstrations import Demonstration
from playground.training.estimate import estimate
from playground.training.loop import Training
from playground.training.settings import KINDS, Kind, TrainSettings, read_train_settings
from playground.training.split import split
from playground.training.steps import TrainStep, read_step, step_values
from playground.training.student import open_student
from playground.training.teachable import teachable, why_not_taught
from tests.models.tiny import edit_config, save_gpt2
from tests.training.tiny_student import prepared, rows_of, save_tiny, settings_of


def run(training: Training) -> list[TrainStep]:
    return [step for step in training.run() if step is not None]


def losses(steps: list[TrainStep]) -> list[tuple[float | None, float | None]]:
    return [(step.loss, step.heldout) for step in steps]


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_what_it_is_taught_and_nothing_but_the_adapter_changes(tiny_model: Path, kind: Kind) -> None:
    setup = prepared(tiny_model, settings_of(kind, epochs=4))
    taught = setup.student.trainable()
    before = {name: one.detach().clone() for name, one in setup.student.model.named_parameters()}
    steps = run(setup.training)
    assert [step.step for step in steps] == list(range(setup.training.total + 1)) and steps[0].loss is None
    first, last = steps[0].heldout, steps[-1].heldout
    assert first is not None and last is not None and last < first
    after = dict(setup.student.model.named_parameters())
    assert all("lora_" in name or "score" in name for name in taught)
    assert all(torch.equal(before[name], after[name]) for name in before if name not in taught)
    assert all(after[name].grad is None for name in before if name not in taught)
    assert not all(torch.equal(before[name], after[name]) for name in taught)
    with setup.student.untaught():
        assert any(step.best for step in steps)


def test_a_seed_repeats_it_and_another_does_not(tiny_model: Path) -> None:
    one, same, other = (run(prepared(tiny_model, settings_of(seed=seed)).training) for seed in (3, 3, 4))
    assert losses(one) == losses(same) != losses(other)


@pytest.mark.parametrize("kind", ["sft", "dpo"])
def test_from_a_checkpoint_it_goes_on_as_if_nothing_had_been(tiny_model: Path, tmp_path: Path, kind: Kind) -> None:
    settings = settings_of(kind)
    whole = run(prepared(tiny_model, settings).training)
    begun = prepared(tiny_model, settings).training
    steps = begun.run()
    while len(begun.steps) < 4:
        next(steps)
    steps.close()
    save_checkpoint(tmp_path, begun.checkpoint())
    setup = prepared(tiny_model, settings)
    checkpoint = load_checkpoint(tmp_path)
    assert checkpoint is not None
    objective = setup.training._objective
    resumed = Training(setup.student, objective, setup.training._train, setup.training._heldout, settings, checkpoint)
    assert not list(objective.before([*resumed._train, *resumed._heldout])), "what the start said is not read again"
    run(resumed)
    assert losses(list(resumed.steps)) == losses(whole)


def test_wherever_it_is_paused_it_goes_on_as_if_nothing_had_been(tiny_model: Path) -> None:
    """A pause may come at any turn: before a step's weights are new, and after, while held-out rows are read."""
    settings = settings_of(epochs=1)
    whole = prepared(tiny_model, settings).training
    turns = len(list(whole.run()))
    for pause in range(1, turns):
        begun = prepared(tiny_model, settings).training
        steps = begun.run()
        for _turn in range(pause):
            next(steps)
        steps.close()
        setup = prepared(tiny_model, settings)
        train, heldout = setup.training._train, setup.training._heldout
        resumed = Training(
            setup.student,
            setup.training._objective,
            train,
            heldout,
            settings,
            begun.checkpoint() if begun.steps else None,
        )
        run(resumed)
        assert losses(list(resumed.steps)) == losses(list(whole.steps)), pause
        assert [step.best for step in resumed.steps] == [step.best for step in whole.steps], pause


def test_a_step_is_read_back_as_it_was_written(tiny_model: Path) -> None:
    step = run(prepared(tiny_model, settings_of("dpo", epochs=1)).training)[-1]
    assert read_step(step_values(step)) == step and step.heldout_preference is not None
    assert step.heldout_preference.kl is not None and step.heldout_preference.kl > 0
    assert step.preference is not None and step.preference.logps_chosen is not None


def test_how_far_the_reading_before_step_0_is_can_be_asked(tiny_model: Path) -> None:
    training = prepared(tiny_model, settings_of("dpo", epochs=1)).training
    shares = [0.0]
    for step in training.run():
        if step is not None:
            break
        shares.append(training.reading.share if training.reading is not None else 1.0)
    assert shares == sorted(shares) and len(set(shares)) > 2 and shares[-1] == 1 and training.reading is None


def test_a_rate_of_ten_is_seen_and_stopped(tiny_model: Path) -> None:
    with pytest.raises(TrainingDiverged, match="the learning rate 10 is too high") as refused:
        run(prepared(tiny_model, settings_of("reward", learning_rate=10.0, epochs=8)).training)
    assert str(refused.value).endswith("is kept.")


def test_a_loss_that_is_no_number_stops_it(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = prepared(tiny_model, settings_of())
    loss = setup.training._objective.loss
    monkeypatch.setattr(setup.training._objective, "loss", lambda places, sums: loss(places, sums) * float("nan"))
    before = setup.student.state()
    with pytest.raises(TrainingDiverged, match="is no number any more"):
        run(setup.training)
    assert all(torch.equal(one, setup.student.state()[name]) for name, one in before.items())


def test_a_damaged_checkpoint_is_refused_in_a_sentence(tiny_model: Path, tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path) is None
    training = prepared(tiny_model, settings_of(epochs=1)).training
    run(training)
    save_checkpoint(tmp_path, training.checkpoint())
    other = open_student(str(tiny_model), settings_of(rank=2))
    checkpoint = load_checkpoint(tmp_path)
    assert checkpoint is not None
    with pytest.raises(BadInput, match="another model or rank"):
        other.load_state(checkpoint.taught)
    file = next(tmp_path.iterdir())
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(BadInput, match="damaged"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_of_another_family_is_taught_on_the_layers_that_peft_takes_for_it(tmp_path: Path, kind: Kind) -> None:
    save_gpt2(tmp_path)
    settings = settings_of(kind, chat=False, most_tokens=32)
    setup = prepared(tmp_path, settings, rows_of(kind)[:8])
    assert "the adapter is on c_attn." in setup.notes[0]
    assert all("c_attn" in name or "score" in name for name in setup.student.trainable())
    forecast = estimate(setup.student.info, setup.training._objective.rows, settings)
    assert forecast.trainable_parameters == setup.student.trainable_parameters
    assert all(step.loss is not None for step in run(setup.training)[1:])


def test_held_out_rows_that_are_all_too_long_leave_a_training_without_them(tiny_model: Path) -> None:
    long = tuple(Demonstration("the cat " * 300 + str(n), "sat") for n in range(12))
    for seed in range(40):
        if all(row in long for row in split((*rows_of("sft"), *long), 0.1, seed).heldout):
            break
    setup = prepared(tiny_model, settings_of(heldout_share=0.1, seed=seed, epochs=1), (*rows_of("sft"), *long))
    assert [step.heldout for step in run(setup.training)] == [None] * (setup.training.total + 1)
    assert sum("were left out" in note for note in setup.notes) == 2
    cut = prepared(tiny_model, settings_of(epochs=1), (*rows_of("sft"), Demonstration("the 1?", "a b " * 180)))
    assert sum("rows have more than 256 tokens and were cut at their end." in note for note in cut.notes) == 1


def test_what_has_no_such_layers_or_no_gradients_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No layer of this model is called c_attn .*q_proj"):
        open_student(str(tiny_model), settings_of(targets=("c_attn",)))
    quantised = save_tiny(tmp_path / "quantised")
    edit_config(quantised, quantization_config={"quant_method": "bitsandbytes", "load_in_8bit": True})
    with pytest.raises(ModelRefused, match="quantised weights"):
        open_student(str(quantised), settings_of())


def test_that_a_model_is_quantised_is_known_before_it_is_taught(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "model")
    plain = load(str(folder))
    assert not plain.info.quantised and why_not_taught(plain.info) == "" and teachable(plain.info) == str(folder)
    edit_config(folder, quantization_config={"quant_method": "bitsandbytes", "load_in_8bit": True})
    info = describe(locate(str(folder)), plain.model, plain.tokenizer, plain.decoding)
    assert info.quantised
    with pytest.raises(ModelRefused, match="model has quantised weights.*unquantised form"):
        teachable(info)


@pytest.mark.parametrize(
    "changes",
    [
        {"rank": 0},
        {"rank": 8.0},
        {"learning_rate": float("nan")},
        {"learning_rate": 0.0},
        {"epochs": 0},
        {"batch": 0},
        {"seed": -1},
        {"heldout_share": float("nan")},
        {"beta": -1.0},
        {"dtype": "int4"},
        {"targets": ()},
        {"most_tokens": 1},
    ],
    ids=str,
)
def test_settings_that_cannot_be_are_refused_by_name(changes: dict[str, object]) -> None:
    with pytest.raises(BadInput, match=next(iter(changes))):
        replace(TrainSettings(), **changes).checked()  # type: ignore[arg-type]
    assert read_train_settings(TrainSettings.of("dpo").values()) == TrainSettings.of("dpo")
    with pytest.raises(BadInput, match="no setting 'speed'"):
        read_train_settings({"speed": 1})
