"""A small model trained on a synthetic task, live: the loop, its steps as they come, and what it has learnt at each size.

A generator with one training step a turn, so that whoever runs it may stop it, show it and let others in between. The
same request gives the same numbers on the same machine.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator

import numpy as np
import torch
from torch import Tensor, nn

from playground.architectures.model import SequenceModel, parameter_count
from playground.architectures.request import LearnRequest
from playground.architectures.seq2seq import Seq2Seq
from playground.architectures.tasks import LEARNERS, NOTHING, TASKS, TaskBatch
from playground.architectures.types import TRIED, LearnStep, Learnt
from playground.errors import BadInput

SOLVED = 0.999  # mean accuracy of the last reports from which on more training shows nothing
DIVERGED = 3.0  # times the loss of guessing
REPORT_EVERY = 20  # steps


def make_learner(request: LearnRequest) -> nn.Module:
    """The untrained model of a request, from its seed."""
    task, kind = TASKS[request.task], LEARNERS[request.model]
    with torch.random.fork_rng(devices=[]):  # others draw from the same stream
        torch.manual_seed(request.seed)
        if task.two_parts:
            return Seq2Seq(task.vocabulary, request.width, attention=request.model == "rnn-attention")
        return SequenceModel(task.vocabulary, request.width, kind.layers)


def answer(model: nn.Module, batch: TaskBatch, *, teach: bool) -> tuple[Tensor, Tensor]:
    """Logits (n, vocabulary) of all places where something is asked, and the right answers (n,)."""
    ids, right = torch.from_numpy(batch.ids), torch.from_numpy(batch.answers)
    if isinstance(model, Seq2Seq):
        logits, _alignments = model.run(ids, right if teach else None, right.shape[1])
    else:
        logits = model(ids)
    asked = right != NOTHING
    return logits[asked], right[asked]


def learn(request: LearnRequest) -> Generator[LearnStep | None, None, tuple[Learnt, nn.Module]]:
    """Train; yields after each step, a ``LearnStep`` every ``REPORT_EVERY``. Raises BadInput where training diverges."""
    task, started = TASKS[request.task], time.perf_counter()
    model, generator = make_learner(request), np.random.default_rng(request.seed)
    sizes = [size for size in task.sizes if size < request.size] + [request.size]
    optimizer = torch.optim.AdamW(model.parameters(), lr=request.learning_rate, weight_decay=0.01)
    said: list[LearnStep] = []
    for step in range(1, request.steps + 1):
        rate = min(1.0, step / 50, (request.steps - step + 1) / (0.2 * request.steps))  # up, level, down
        optimizer.param_groups[0]["lr"] = rate * request.learning_rate
        size = sizes[-1] if step % REPORT_EVERY == 0 else int(generator.choice(sizes))
        logits, right = answer(model, task.batch(generator, request.batch, size), teach=True)
        loss = nn.functional.cross_entropy(logits, right)
        if not loss.item() < DIVERGED * math.log(task.vocabulary):  # true for what is no number too
            raise BadInput(
                f"The training diverged at step {step}: the loss is {loss.item():.3g}, guessing has "
                f"{math.log(task.vocabulary):.3g}; choose a smaller learning rate than {request.learning_rate:g}.",
                "learning_rate",
            )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % REPORT_EVERY == 0 or step == request.steps:
            right_share = float((logits.argmax(-1) == right).float().mean())
            said.append(LearnStep(step, loss.item(), right_share))
            yield said[-1]
            if len(said) >= 3 and sum(one.accuracy for one in said[-3:]) / 3 >= SOLVED:
                break
        else:
            yield None
    accuracies = []
    for size in dict.fromkeys(sorted({*task.sizes, request.size})):
        accuracies.append((size, measure_accuracy(model, request, size)))
        yield None
    alignment, symbols = aligned(model, request)
    seconds = time.perf_counter() - started
    learnt = Learnt(request, tuple(said), tuple(accuracies), parameter_count(model), seconds, alignment, symbols)
    return learnt, model


@torch.no_grad()
def measure_accuracy(model: nn.Module, request: LearnRequest, size: int) -> float:
    """The share of right answers on new texts of one size; a decoder is fed its own choices."""
    generator = np.random.default_rng([request.seed, 1, size])
    logits, right = answer(model, TASKS[request.task].batch(generator, TRIED, size), teach=False)
    return float((logits.argmax(-1) == right).float().mean())


@torch.no_grad()
def aligned(model: nn.Module, request: LearnRequest) -> tuple[tuple[tuple[float, ...], ...], tuple[int, ...]]:
    """Bahdanau's alignments of one text (written, read), and its symbols; nothing where there is no such attention."""
    if not isinstance(model, Seq2Seq) or model.asked is None:
        return (), ()
    generator = np.random.default_rng([request.seed, 2])
    batch = TASKS[request.task].batch(generator, 1, min(request.size, 12))
    _logits, alignments = model.run(torch.from_numpy(batch.ids), None, batch.answers.shape[1])
    assert alignments is not None
    rows = tuple(tuple(round(weight, 4) for weight in row) for row in alignments[0].tolist())
    return rows, tuple(int(symbol) for symbol in batch.ids[0])
