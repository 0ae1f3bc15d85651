"""The tables and figures of docs/teach.md that ``bench_training`` and ``bench_adapter`` do not print.

``python -m benchmarks teach`` prints all, ``python -m benchmarks.bench_teach peaks memory`` some. They measure what a formula
says and what an estimator is worth, not how fast the code is, so they run only by name.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.teach_peaks import estimators, peaks
from playground.training.settings import Kind

# -- memory said before ----------------------------------------------------------------------------------------------------

SEVEN = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
TRAININGS: tuple[tuple[str, Kind, int, tuple[str, ...]], ...] = (
    ("sft", "sft", 129, ("q_proj", "v_proj")),
    ("sft", "sft", 479, ("q_proj", "v_proj")),
    ("sft, seven kinds of layers", "sft", 129, SEVEN),
    ("dpo", "dpo", 129, ("q_proj", "v_proj")),
    ("reward", "reward", 129, ("q_proj", "v_proj")),
)
MIB = 2**20


def memory() -> None:
    """Each training in a process of its own: said beside the weights, and what the process then held at most; seconds too."""
    print("| training | longest row | said, MiB | measured, MiB | said / measured | said, s | took, s | said / took |")
    print("|---|---|---|---|---|---|---|---|")
    for place in range(len(TRAININGS)):
        run = [sys.executable, "-m", "benchmarks.bench_teach", f"one={place}"]
        print(subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip(), flush=True)


def one_training(place: int) -> None:
    """A line of ``memory``: two epochs of four rows, measured, and what is said of it by the pace of these rows."""
    import peft  # noqa: F401 - half of what the first opening of a process takes; the page has measured its pace by then
    import psutil

    from playground.engine.api import CancelToken
    from playground.engine.pieces import finish
    from playground.training.estimate import estimate
    from playground.training.masks import encode_rows
    from playground.training.running import calibration, prepare
    from playground.training.settings import TrainSettings
    from playground.training.student import open_student

    name, kind, longest, targets = TRAININGS[place]
    settings = replace(TrainSettings.of(kind), targets=targets, epochs=4, heldout_share=0.0, most_tokens=longest)
    rows = _rows(kind, longest)
    started = time.perf_counter()
    student = open_student(None, settings)
    encoded = encode_rows(student.codec, rows, settings, student.info.context_length).encoded
    process = psutil.Process()
    before, most, done = process.memory_info().rss, 0, threading.Event()

    def look() -> None:
        nonlocal most
        while not done.wait(0.005):
            most = max(most, process.memory_info().rss)

    looking = threading.Thread(target=look)
    looking.start()
    for _step in prepare(student, rows, settings, None).training.run():
        pass
    done.set()
    looking.join()
    took, info = time.perf_counter() - started, student.info
    del student
    base: Any = type("Base", (), {"info": _info()})  # the pace is measured as the page does, of the model in use
    forecast = estimate(info, encoded, settings, finish(calibration(settings, rows)(base, CancelToken())))
    assert forecast.seconds is not None
    said = (forecast.memory_bytes - info.parameters * (2 if "16" in info.dtype else 4)) / MIB
    held, what = (most - before) / MIB, f"{name}, {info.dtype}"
    print(
        f"| {what} | {longest} | {said:,.0f} | {held:,.0f} | {said / held:.2f} | {forecast.seconds:.1f} | {took:.1f} | "
        f"{forecast.seconds / took:.2f} |"
    )


def _info() -> Any:  # noqa: ANN401 - what is loaded, as an engine tells it
    from playground.engine.factory import make_engine

    engine = make_engine(None)
    info = engine.info
    engine.close()
    return info


def _rows(kind: str, longest: int) -> Any:  # noqa: ANN401 - rows of either kind
    from playground.training.demonstrations import Demonstration
    from playground.training.pairs import Pair

    text = "The keeper of the light wrote down each ship that passed, and the hour. " * 60
    if kind == "sft":
        return tuple(Demonstration(f"What did you write on day {n}?", text) for n in range(4))
    words = text.split()[: (longest - 60) * 3 // 4]
    return tuple(Pair(f"What did you write on day {n}?", " ".join(words), " ".join(words[: 4 + n])) for n in range(4))


# -- number formats --------------------------------------------------------------------------------------------------------

AUTOCAST = "float32 under autocast to bfloat16"
FORMATS = (
    ("bfloat16", "eager", 1, 128),
    ("bfloat16", "sdpa", 1, 128),
    ("bfloat16", "sdpa", 4, 128),
    ("bfloat16", "sdpa", 1, 64),
    (AUTOCAST, "sdpa", 1, 128),
    ("float32", "sdpa", 1, 128),
    ("float32", "eager", 1, 128),
    ("float32", "sdpa", 4, 128),
)
PASSES = 4


def formats() -> None:
    """Tokens a second of one core's time, forward and back through rank 8 on queries and values of the bundled model."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from playground.models.bundled import ensure_bundled

    print("| weights | attention | rows x tokens | tokens a core-second |\n|---|---|---|---|")
    for dtype, attention, rows, tokens in FORMATS:
        base = AutoModelForCausalLM.from_pretrained(
            ensure_bundled(), dtype=getattr(torch, dtype.partition(" ")[0]), attn_implementation=attention
        )
        lora = LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
        model = get_peft_model(base, lora)
        ids = torch.randint(100, 40_000, (rows, tokens), generator=torch.Generator().manual_seed(0))
        times = []
        for _turn in range(PASSES + 1):
            began = time.process_time()
            with torch.autocast("cpu", torch.bfloat16, enabled=dtype == AUTOCAST):
                loss = model(input_ids=ids, labels=ids).loss
            loss.backward()
            times.append(time.process_time() - began)
        print(
            f"| {dtype} | {attention} | {rows} x {tokens} | {rows * tokens * PASSES / sum(times[1:]):.0f} |", flush=True
        )


# -- one worked run --------------------------------------------------------------------------------------------------------


def worked() -> None:
    """The two commands of "One worked run", with what they print and the run's share of pre-training."""
    from playground.cli import main as command
    from playground.engine.factory import make_engine
    from playground.training.demonstrations import shipped
    from playground.training.estimate import estimate
    from playground.training.masks import encode_rows
    from playground.training.settings import TrainSettings

    with tempfile.TemporaryDirectory() as place:
        out = str(Path(place) / "taught")
        command(["train", "sft", "--data", "tone", "--out", out, "--epochs", "3", "--seed", "0"])
        for more in ([], ["--adapter", out]):
            print(f"\nnext {' '.join(more[:1])}")
            command(["next", *more, "--chat", "--prompt", "How do I peel an egg?", "--top", "3"])
    engine, settings = make_engine(None), TrainSettings.of("sft")
    info: Any = engine.info
    forecast = estimate(
        info, encode_rows(engine.codec, shipped("tone"), settings, info.context_length).encoded, settings
    )
    engine.close()
    print(f"\n{forecast.tokens:,} tokens; {forecast.share_of_pretraining:.1e} of the tokens of pre-training")


# -- what a reward has learnt ----------------------------------------------------------------------------------------------

VOTES, PENALTY = 150, 1.0


def rewards() -> None:
    """A voter who prefers the shorter answer, on the answers cut to many lengths and on those as they are."""
    from playground.engine.api import CancelToken
    from playground.engine.factory import make_engine
    from playground.engine.pieces import finish
    from playground.preferences.examined import accuracy_sentence, examine_head
    from playground.preferences.ready import ready_ballot, varied_ballot
    from playground.preferences.synthetic import VOTERS, synthetic_verdicts
    from playground.testtime.answer_states import answer_ids, read_states

    engine = make_engine(None)
    for name, ballot in (("cut to many lengths", varied_ballot()), ("as they are", ready_ballot())):
        ids = [answer_ids(engine, answer.prompt, answer.text) for answer in ballot.answers]
        states = finish(read_states(engine, ids, CancelToken()))
        examined = examine_head(ballot, synthetic_verdicts(ballot, VOTERS["brief"], VOTES), states, PENALTY)
        likes = ", ".join(f"{one.feature} {one.correlation:+.2f}" for one in examined.likings[:3])
        print(f"Answers {name}: {accuracy_sentence(examined)} It goes along with {likes}.", flush=True)
    engine.close()


def voters() -> None:
    """A stated reward, and what comes back of it from 300 votes on 60 answers."""
    from playground.preferences.ballots import Answer, Ballot, votes_on_answers
    from playground.preferences.strengths import fit_strengths
    from playground.preferences.synthetic import SyntheticVoter, rewards_of, synthetic_verdicts

    ballot = Ballot(tuple(Answer("p", "word " * (place + 1)) for place in range(60)))
    voter = SyntheticVoter("long", "", lambda text: float(len(text)))
    truth, correlations = rewards_of(voter, [answer.text for answer in ballot.answers]), []
    for seed in range(6):
        fitted = fit_strengths(votes_on_answers(ballot, synthetic_verdicts(ballot, voter, 300, seed=seed)))
        strength = {item.name: item.strength for item in fitted.items}
        correlations.append(float(np.corrcoef([strength[label] for label in ballot.labels], truth)[0, 1]))
    print(
        "Correlation of what came back with the reward, six seeds: " + ", ".join(f"{one:.2f}" for one in correlations)
    )


TABLES: dict[str, Callable[[], None]] = {
    "peaks": peaks,
    "estimators": estimators,
    "memory": memory,
    "formats": formats,
    "worked": worked,
    "rewards": rewards,
    "voters": voters,
}


def main(wanted: Sequence[str] = ()) -> None:
    """The wanted tables, all where none is named."""
    for name in wanted or TABLES:
        TABLES[name]()
        print()


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if sys.argv[1:2] and sys.argv[1].startswith("one="):
        one_training(int(sys.argv[1].partition("=")[2]))
    else:
        main(sys.argv[1:])
