"""Ids, masks and losses are those of TRL's own trainers on the same rows, on the bundled model's tokenizer."""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from playground.training.conversation import Context
from playground.training.demonstrations import Demonstration, shipped
from playground.training.masks import masked_pair, masked_text, respond
from playground.training.objectives import make_objective
from playground.training.pairs import Pair
from playground.training.settings import Kind, TrainSettings
from playground.training.student import Student, open_student

DATASETS: Any = importlib.import_module("datasets")
TRL: Any = importlib.import_module("trl")  # it loads its classes when they are asked for, unseen by mypy
pytestmark = [
    pytest.mark.model,
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning"),
]
ROWS = (*shipped("tone")[:8], Demonstration("And now?", "Later.", "Be brief.", ("Is it time?", "No.")))
PAIRS = tuple(
    Pair(row.prompt, row.response, "I do not know." if place % 2 else "Well, " * 9, margin=place / 10)
    for place, row in enumerate(shipped("refusals")[:10])
)


@pytest.fixture(scope="module")
def folder(bundled_model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random model with the bundled model's tokenizer and template."""
    place = tmp_path_factory.mktemp("trl") / "model"
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=49152,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        initializer_range=0.3,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(place)
    AutoTokenizer.from_pretrained(bundled_model_path).save_pretrained(place)
    return place


def student_of(folder: Path, kind: Kind, **changes: Any) -> Student:
    settings = replace(TrainSettings.of(kind), dtype="float32", **changes)
    student = open_student(str(folder), settings)
    torch.manual_seed(1)
    for name, one in student.trainable().items():  # an adapter that does something, the reference apart from the policy
        if "lora_B" in name:
            torch.nn.init.normal_(one, std=0.3)
    return student


def messages(context: Context) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in context.messages]


def conversational(pairs: Sequence[Pair]) -> Any:  # noqa: ANN401 - a dataset
    return DATASETS.Dataset.from_list(
        [
            {
                "prompt": messages(pair.context),
                "chosen": [{"role": "assistant", "content": pair.chosen}],
                "rejected": [{"role": "assistant", "content": pair.rejected}],
                "margin": pair.margin,
            }
            for pair in pairs
        ]
    )


def configured(kind: Any, tmp_path: Path, rows: int, **more: Any) -> Any:  # noqa: ANN401 - one of TRL's classes
    return kind(
        output_dir=str(tmp_path),
        report_to=[],
        use_cpu=True,
        bf16=False,
        per_device_train_batch_size=rows,
        max_length=None,
        gradient_checkpointing=False,
        dataloader_pin_memory=False,
        disable_tqdm=True,
        **more,
    )


def first_batch(trainer: Any) -> dict[str, torch.Tensor]:  # noqa: ANN401
    inputs = trainer._prepare_inputs(next(iter(trainer.get_train_dataloader())))
    assert isinstance(inputs, dict) or hasattr(inputs, "items")
    return dict(inputs)


def loss_of(student: Student, rows: Sequence[Any], settings: TrainSettings, margins: Sequence[float] = ()) -> float:
    """Ours, in as many passes as it takes."""
    objective = make_objective(student, rows, settings, margins)
    places = range(len(rows))
    for _turn in objective.before(places):
        pass
    steps = objective.evaluate(places)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return float(end.value[0])


@pytest.mark.parametrize(("mask_prompt", "chat"), [(True, True), (False, True), (True, False)])
def test_sft_has_its_ids_its_mask_and_its_loss(folder: Path, tmp_path: Path, mask_prompt: bool, chat: bool) -> None:
    student = student_of(folder, "sft", mask_prompt=mask_prompt, chat=chat)
    settings = replace(TrainSettings.of("sft"), mask_prompt=mask_prompt, chat=chat)
    rows = ROWS if chat else ROWS[:8]
    own = [masked_text(student.codec, row, mask_prompt=mask_prompt, chat=chat) for row in rows]
    given = [
        {"prompt": messages(row.context), "completion": [{"role": "assistant", "content": row.response}]}
        if chat
        else {"prompt": row.prompt, "completion": row.response}
        for row in rows
    ]
    config = configured(TRL.SFTConfig, tmp_path, len(rows), completion_only_loss=mask_prompt, packing=False)
    trainer: Any = TRL.SFTTrainer(
        model=student.model,
        args=config,
        train_dataset=DATASETS.Dataset.from_list(given),
        processing_class=student.tokenizer,
    )
    theirs = trainer.train_dataset
    assert [list(text.ids) for text in own] == theirs["input_ids"][:]
    if mask_prompt:
        labels = [[one if counts else -100 for one, counts in zip(text.ids, text.counted, strict=True)] for text in own]
        assert labels == theirs["labels"][:]
    with torch.no_grad():
        loss = float(trainer.compute_loss(trainer.model.eval(), first_batch(trainer)))
    assert loss_of(student, own, settings) == pytest.approx(loss, abs=1e-4)


def test_dpo_has_its_loss_on_ten_pairs(folder: Path, tmp_path: Path) -> None:
    student = student_of(folder, "dpo")
    own = [masked_pair(student.codec, pair) for pair in PAIRS]
    config = configured(TRL.DPOConfig, tmp_path, len(PAIRS), beta=0.3)
    trainer: Any = TRL.DPOTrainer(
        model=student.model, args=config, train_dataset=conversational(PAIRS), processing_class=student.tokenizer
    )
    with torch.no_grad():
        for (
            name,
            one,
        ) in trainer.model.named_parameters():  # a copy is its reference, the base is ours
            if "lora_B.ref" in name:
                one.zero_()
        loss = float(trainer.compute_loss(trainer.model.eval(), first_batch(trainer)))
    assert abs(loss - math.log(2)) > 0.05, "the adapter does nothing"
    settings = replace(TrainSettings.of("dpo"), beta=0.3)
    assert loss_of(student, own, settings) == pytest.approx(loss, abs=1e-4)


def test_the_reward_loss_is_its_and_a_hand_computation(folder: Path, tmp_path: Path) -> None:
    student = student_of(folder, "reward")
    own = [
        tuple(respond(student.codec, pair.context, text, chat=True) for text in (pair.chosen, pair.rejected))
        for pair in PAIRS
    ]
    trainer: Any = TRL.RewardTrainer(
        model=student.model,
        args=configured(TRL.RewardConfig, tmp_path, len(PAIRS)),
        train_dataset=conversational(PAIRS),
        processing_class=student.tokenizer,
    )
    with torch.no_grad():
        loss = float(trainer.compute_loss(trainer.model.eval(), first_batch(trainer)))
        scores = [[float(student.model(torch.tensor([text.ids])).logits) for text in both] for both in own]
    margins = [pair.margin or 0.0 for pair in PAIRS]
    settings = TrainSettings.of("reward")
    assert loss_of(student, own, settings, margins) == pytest.approx(loss, abs=1e-4)
    by_hand = [math.log(1 + math.exp(m - won + lost)) for (won, lost), m in zip(scores, margins, strict=True)]
    assert loss == pytest.approx(sum(by_hand) / len(by_hand), abs=1e-4)
