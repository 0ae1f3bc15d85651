"""Training on synthetic tasks: what batches are, that a seed repeats, what is refused, and that something is learnt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from playground.architectures.learning import learn, make_learner
from playground.architectures.ready import ready_results
from playground.architectures.request import LearnRequest, usual_request
from playground.architectures.results import Verdict, mean_of_shares, verdict
from playground.architectures.seq2seq import Seq2Seq
from playground.architectures.tasks import COPIED, KEYS, LEARNERS, MARK, NOISE, NOTHING, TASKS
from playground.architectures.types import LearnStep, Learnt
from playground.errors import BadInput


def run(request: LearnRequest) -> Learnt:
    steps = learn(request)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            learnt: Learnt = end.value[0]
            return learnt


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_a_batch_asks_for_what_its_text_holds(task: object) -> None:
    from playground.architectures.tasks import Task

    assert isinstance(task, Task)
    for size in task.sizes:
        batch = task.batch(np.random.default_rng(0), 5, size)
        assert batch.ids.min() >= 0 and batch.ids.max() < task.vocabulary and batch.ids.shape == batch.answers.shape
        for ids, answers in zip(batch.ids.tolist(), batch.answers.tolist(), strict=True):
            assert [answer for answer in answers if answer != NOTHING] == _right(task.name, ids, size)


def _right(name: str, ids: list[int], size: int) -> list[int]:
    if name == "mqar":
        pairs = dict(zip(ids[: 2 * size : 2], ids[1 : 2 * size : 2], strict=True))
        assert len(pairs) == size and all(key < KEYS <= value for key, value in pairs.items())
        return [pairs[key] for key in ids[2 * size :]]
    if name == "selective-copy":
        return [symbol for symbol in ids[:-COPIED] if symbol != NOISE]
    if name == "induction":
        return [ids[ids.index(MARK) + 1]]
    return ids[::-1] if name == "reverse" else ids


def test_a_seed_repeats_and_another_differs() -> None:
    request = LearnRequest("reverse", "rnn", 4, width=8, steps=20, seed=3)
    first, again = run(request), run(request)
    assert first.steps == again.steps and first.accuracies == again.accuracies
    assert run(replace(request, seed=4)).steps != first.steps


@pytest.mark.parametrize(("task", "model"), [(task.name, model) for task in TASKS.values() for model in task.models])
def test_every_learner_of_every_task_takes_a_step(task: str, model: str) -> None:
    smallest = TASKS[task].sizes[0]
    step = next(learn(LearnRequest(task, model, smallest, width=8, steps=1, batch=4)))
    assert isinstance(step, LearnStep) and np.isfinite(step.loss)


def test_something_is_learnt() -> None:
    """Induction heads at a size that takes a second; guessing is right once in 16."""
    steps = learn(LearnRequest("induction", "attention", 8, width=16, steps=300, batch=32))
    assert max(step.accuracy for step in steps if step is not None) > 0.9


def test_a_trained_alignment_sums_to_one_and_comes_with_its_text() -> None:
    learnt = run(LearnRequest("copy", "rnn-attention", 4, width=16, steps=1, batch=4))
    assert len(learnt.alignment) == len(learnt.symbols) == 4
    np.testing.assert_allclose(np.sum(learnt.alignment, axis=1), 1, atol=1e-3)
    assert isinstance(make_learner(learnt.request), Seq2Seq)


def test_training_that_diverges_says_so() -> None:
    with pytest.raises(BadInput, match="diverged at step .* smaller learning rate"):
        run(LearnRequest("copy", "rnn-attention", 4, width=8, steps=100, learning_rate=1.0, batch=4))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"task": "chess"}, "no task 'chess'"),
        ({"model": "rnn"}, "does not fit the task mqar"),
        ({"model": "none"}, "no model 'none'"),
        ({"size": 0}, "pairs must be a whole number from 2 to 64, not 0"),
        ({"width": 0}, "width must be a whole number from 8"),
        ({"width": 30}, "multiple of 8"),
        ({"steps": 0}, "steps must be"),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0"),
        ({"seed": -1}, "seed must be"),
    ],
)
def test_what_cannot_be_trained_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        replace(LearnRequest("mqar", "attention", 4), **change)  # type: ignore[arg-type]


def test_every_task_has_a_usual_request_for_each_of_its_models() -> None:
    for task in TASKS.values():
        assert set(task.shown) <= set(task.models) <= set(LEARNERS)
        assert {usual_request(task.name, model).size for model in task.models} == {task.usual}


def test_an_interval_over_seeds_is_students() -> None:
    from scipy.stats import t

    values = [0.5, 0.6, 0.64]
    mean = mean_of_shares(values)
    low, high = t.interval(0.95, 2, loc=np.mean(values), scale=np.std(values, ddof=1) / 3**0.5)
    assert mean.low == pytest.approx(low) and mean.high == pytest.approx(high)
    assert mean_of_shares([0.4]).low is None and mean_of_shares([1.0, 1.0]).high == 1.0


def test_a_training_leaves_the_random_stream_of_others_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    run(LearnRequest("copy", "rnn", 4, width=8, steps=1, batch=4))
    assert torch.rand(1) == expected


def test_a_verdict_is_welchs_interval_over_seeds() -> None:
    from scipy.stats import ttest_ind

    def learnt(model: str, shares: list[float]) -> list[Learnt]:
        return [
            Learnt(usual_request("selective-copy", model, seed), (), ((32, share),), 1, 1.0)
            for seed, share in enumerate(shares)
        ]

    high, low = [0.9, 0.95, 0.93], [0.4, 0.5, 0.3]
    conclusion, words = verdict("selective-copy", [*learnt("mamba", high), *learnt("s4", low)])
    edge = ttest_ind(high, low, equal_var=False).confidence_interval(0.95).low
    assert conclusion is Verdict.AGREES and f"at least {edge:+.0%}" in words
    assert verdict("selective-copy", [*learnt("mamba", low), *learnt("s4", high)])[0] is Verdict.DIFFERS
    assert verdict("selective-copy", [*learnt("mamba", [0.4, 0.9]), *learnt("s4", [0.3, 0.8])])[0] is Verdict.UNSURE
    assert verdict("selective-copy", learnt("mamba", high))[0] is Verdict.UNSURE


def test_the_ready_results_are_of_every_default_training_from_three_seeds() -> None:
    wanted = {
        usual_request(task.name, model, seed) for task in TASKS.values() for model in task.shown for seed in range(3)
    }
    requests = [each.request for each in ready_results().learnt]
    assert set(requests) == wanted and len(requests) == len(wanted)
