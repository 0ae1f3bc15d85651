"""Forty demonstrations taught to the bundled model, against TRL's own trainer on the same rows in turns; and a slider meanwhile.

Rank 8 on queries and values, 3 epochs, 4 rows a step, sequences of 128 tokens, the number format that ``best_dtype`` chooses.
The slider is another tab's of a server whose model's thread trains (``training_app.py``), taken in Chromium.
"""

from __future__ import annotations

import importlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.browser import chromium, open_clocked, percentile, slider_times
from playground.models.bundled import ensure_bundled
from playground.training.demonstrations import Demonstration, shipped
from playground.training.masks import Row
from playground.training.pairs import Pair
from playground.training.running import prepare
from playground.training.settings import TrainSettings
from playground.training.student import best_dtype, open_student
from tests.e2e.conftest import serve

LENGTH, TURNS, STEPS_A_TURN, MOVES = 128, 3, 4, 40
SETTINGS = replace(TrainSettings.of("sft"), heldout_share=0.0, most_tokens=LENGTH)
Figures = Iterator[tuple[str, float]]


def the_rows() -> tuple[Demonstration, ...]:
    """The forty of the shipped tone, each answer said over until it is longer than the sequences."""
    return tuple(replace(row, response=" ".join([row.response] * 8)) for row in shipped("tone"))


def run() -> Figures:
    """Seconds, tokens per second, their ratio to TRL's, a step of DPO, and the slider."""
    yield from _whole()
    yield from _against_trl()
    yield from _dpo()
    yield from _slider()


def _whole() -> Figures:
    started = time.perf_counter()
    prepared = prepare(open_student(None, SETTINGS), the_rows(), SETTINGS, None)
    steps = [step for step in prepared.training.run() if step is not None]
    yield "40 demonstrations, 3 epochs, rank 8, 128 tokens, s", time.perf_counter() - started
    yield "tokens/s of its steps", sum(step.tokens for step in steps) / sum(step.seconds for step in steps)


def _against_trl() -> Figures:
    """A few steps of each in turn, so that a slow minute hits both. The first turn warms up."""
    rows: tuple[Row, ...] = the_rows()[: 4 * STEPS_A_TURN]
    settings = replace(SETTINGS, epochs=1)
    own, theirs = [], []
    for turn in range(TURNS + 1):
        prepared = prepare(open_student(None, settings), rows, settings, None)
        steps = [step for step in prepared.training.run() if step is not None]
        pace = sum(step.tokens for step in steps) / sum(step.seconds for step in steps)
        other = _trl(rows, settings)
        if turn:
            own.append(pace)
            theirs.append(other)
    yield "TRL's SFTTrainer, tokens/s", sum(theirs) / TURNS
    yield "tokens/s / TRL's", sum(own) / sum(theirs)


def _trl(rows: tuple[Row, ...], settings: TrainSettings) -> float:
    trl: Any = importlib.import_module("trl")
    datasets: Any = importlib.import_module("datasets")
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = ensure_bundled()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, best_dtype("cpu")))
    given = [
        {
            "prompt": [{"role": "user", "content": row.prompt}],
            "completion": [{"role": "assistant", "content": row.response}],
        }
        for row in rows
        if isinstance(row, Demonstration)
    ]
    with tempfile.TemporaryDirectory() as place:
        config = trl.SFTConfig(
            output_dir=place,
            report_to=[],
            use_cpu=True,
            bf16=False,
            per_device_train_batch_size=settings.batch,
            num_train_epochs=settings.epochs,
            learning_rate=settings.learning_rate,
            max_length=LENGTH,
            gradient_checkpointing=False,
            dataloader_pin_memory=False,
            disable_tqdm=True,
            save_strategy="no",
            logging_strategy="no",
        )
        lora = LoraConfig(r=settings.rank, lora_alpha=16, target_modules=list(settings.targets), task_type="CAUSAL_LM")
        trainer = trl.SFTTrainer(
            model=model,
            args=config,
            train_dataset=datasets.Dataset.from_list(given),
            processing_class=tokenizer,
            peft_config=lora,
        )
        tokens = sum(len(ids) for ids in trainer.train_dataset["input_ids"])
        started = time.perf_counter()
        trainer.train()
        return tokens / (time.perf_counter() - started)


def _dpo() -> Figures:
    settings = replace(TrainSettings.of("dpo"), heldout_share=0.0, most_tokens=LENGTH, epochs=1)
    pairs = tuple(
        Pair(row.prompt, row.response, "I do not know what to say about that.") for row in shipped("tone")[:12]
    )
    prepared = prepare(open_student(None, settings), pairs, settings, None)
    seconds = [step.seconds for step in prepared.training.run() if step is not None and step.step]
    yield "a step of DPO, 4 pairs, s", sum(seconds[1:]) / len(seconds[1:])


def _slider() -> Figures:
    """The 95th percentile of a slider's moves on one tab, idle and while the model's thread trains for another."""
    with tempfile.TemporaryDirectory() as place:
        signal = Path(place) / "train"
        environment = {"TRAIN_WHEN": str(signal), "PLAYGROUND_DATA": place}
        with serve("benchmarks/training_app.py", **environment) as url, chromium() as browser:
            open_clocked(browser, url)
            page = open_clocked(browser, url)
            slider_times(page, 10)
            idle = percentile(slider_times(page, MOVES), 0.95)
            signal.touch()
            page.wait_for_timeout(8_000)  # the model is loaded apart
            busy = percentile(slider_times(page, MOVES), 0.95)
            steps = int((Path(place) / "steps").read_text())
    if not steps:
        raise RuntimeError("nothing was taught meanwhile")
    yield "slider idle, 95th percentile, ms", idle
    yield "slider while another trains, 95th percentile, ms", busy
    yield "slider while another trains / idle", busy / idle


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    for name, value in run():
        print(f"{name:60} {value:8.3g}", flush=True)
