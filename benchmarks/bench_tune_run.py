"""A plan's texts written together, against one by one through our own engine and through transformers' ``generate``.

12 prompts, 7 settings and the control, 2 samples, 64 tokens: the bundled model in float32, one process, the same threads. Ten
of the prompts are written together, a trial first as on the page. One by one would take many minutes, so some of the texts
are, and the pace is taken from them: through our engine the other 2 prompts under every arm, through ``generate`` 6 texts.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from playground.engine.factory import make_engine
from playground.engine.hf.batch import TransformersBatch
from playground.engine.hf.engine import TransformersEngine
from playground.engine.pieces import Pieces, finish
from playground.generation import GenerationRequest, generate
from playground.models.loading import load
from playground.sampling.settings import SamplerSettings
from playground.testtime.types import Candidate
from playground.tuning.examples import built_in
from playground.tuning.measures import MEASURES
from playground.tuning.pace import Pace
from playground.tuning.plan import Plan
from playground.tuning.predicting import forecast, trial_places
from playground.tuning.running import plan_requests, write_places

SETTINGS: tuple[dict[str, float], ...] = (
    {},
    {"temperature": 0.7},
    {"temperature": 0.4},
    {"top_p": 0.9},
    {"temperature": 0.7, "top_p": 0.9},
    {"min_p": 0.1},
    {"temperature": 0.7, "top_k": 40},
)
SAMPLES, NEW_TOKENS, BY_GENERATE = 2, 64, 6


def the_plan() -> Plan:
    """Of the twelve examples that ship."""
    return Plan(
        examples=built_in(),
        settings={f"s{number}": SamplerSettings(**own) for number, own in enumerate(SETTINGS)},
        samples=SAMPLES,
        max_new_tokens=NEW_TOKENS,
        seed=0,
        measures=(MEASURES["checks"],),
        require={},
        chat=True,
    )


def run() -> dict[str, float]:
    """Tokens per second of each, prompts read among them, and the ratios."""
    engine = make_engine(None, device="cpu", dtype="float32")
    if not isinstance(engine, TransformersEngine):
        raise TypeError("The bundled model runs on transformers")
    plan = the_plan()
    requests = plan_requests(engine, plan)
    finish(
        generate(engine, [replace(requests[0], max_new_tokens=2)], branching=False)
    )  # weights are arranged at the first
    each = len(plan.arms) * plan.samples
    some = [place for place in range(2 * each) if place % plan.samples == 0]
    alone, alone_s = 0, time.perf_counter()
    for place in some:
        alone += finish(generate(engine, [requests[place]], branching=False)).new_tokens
    alone_s = time.perf_counter() - alone_s
    read = _count_read(engine)
    rest = replace(plan, examples=plan.examples[2:])
    together, together_s, said_s, took_s = _tried_and_written(engine, rest)
    distinct = sum(map(len, {request.prompt_ids for request in requests[2 * each :]}))
    theirs, theirs_s = _by_transformers(requests[2 * each :: each][:BY_GENERATE])
    return {
        f"a plan of {plan.texts} texts, together, tokens/s": together / together_s,
        f"one by one through our engine ({len(some)} of its texts), tokens/s": alone / alone_s,
        f"one by one through generate ({BY_GENERATE} texts), tokens/s": theirs / theirs_s,
        "together / one by one through our engine": together / together_s / (alone / alone_s),
        "together / one by one through generate": together / together_s / (theirs / theirs_s),
        "seconds said after the trial / seconds that the rest then took": said_s / took_s,
        "prompt tokens read / those of distinct prompts": sum(read) / distinct,
    }


def _tried_and_written(engine: TransformersEngine, plan: Plan) -> tuple[int, float, float, float]:
    """Tokens and seconds of the whole plan, as the page writes it: a trial first. What was said after the trial of the rest's
    seconds, and what that took.
    """
    pace, texts, tokens = Pace(), dict[int, Candidate](), 0
    lengths = [len(request.prompt_ids) for request in plan_requests(engine, plan)[:: len(plan.arms) * plan.samples]]
    started = time.perf_counter()
    for step in write_places(engine, plan, trial_places(plan)):
        pace.add(step)
        texts |= {text.index: text for text in step.finished}
        tokens += step.new_tokens
    said, tried = forecast(plan, lengths, texts, pace=pace).seconds, time.perf_counter()
    if said is None:
        raise RuntimeError("a trial says how fast texts come")
    for step in write_places(engine, plan, range(plan.texts), written=texts):
        tokens += step.new_tokens
    ended = time.perf_counter()
    return tokens, ended - started, said, ended - tried


def _count_read(engine: TransformersEngine) -> list[int]:
    """From now on, how many tokens each batch reads of its prompts."""
    read: list[int] = []
    opened = engine.open_batch_in_pieces

    def counted(*args: Any, **options: Any) -> Pieces[TransformersBatch]:
        batch = yield from opened(*args, **options)
        read.append(batch.computed_tokens)
        return batch

    engine.open_batch_in_pieces = counted  # type: ignore[method-assign]
    return read


def _by_transformers(requests: Sequence[GenerationRequest]) -> tuple[int, float]:
    """Tokens and seconds of ``model.generate``, one text after the other, as loaded."""
    model = load(None, device="cpu", dtype="float32").model
    tokens, started = 0, time.perf_counter()
    with torch.inference_mode():
        for request in requests:
            ids = torch.tensor([request.prompt_ids])
            output_ids = model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                do_sample=True,
                temperature=float(request.settings.temperature),
                top_k=0,
                max_new_tokens=NEW_TOKENS,
                pad_token_id=0,
            )
            tokens += output_ids.shape[1] - ids.shape[1]
    return tokens, time.perf_counter() - started


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:70} {value:8.2f}")
