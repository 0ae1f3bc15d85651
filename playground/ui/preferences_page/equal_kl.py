"""Of section "DPO": its answers against best-of-N by the reward head, at equal KL. Both are sampled, rated and scored here."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import streamlit as st

from playground.charts.curves_bands import bands_description, bands_figure
from playground.charts.preferences_equal_kl import equal_kl_bands
from playground.engine.api import CancelToken, Engine
from playground.engine.serving.worker import Worker
from playground.engine.text.prompt import encode_prompt
from playground.errors import BadInput
from playground.sampling.settings import NEUTRAL
from playground.testtime.equal_kl import EqualKl, answer_kl, compare_at_equal_kl, equal_kl_sentence
from playground.testtime.events import BatchStep, Event
from playground.testtime.generate import CandidateRequest, Variation, generate_candidates
from playground.testtime.types import Candidate
from playground.training.pairs import Pair
from playground.training.runs import KeptTraining
from playground.training.split import split
from playground.ui.examples_page.adapter_beside import before_and_after
from playground.ui.examples_page.moved_texts import scores
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES
from playground.ui.kit.jobs import result_of
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import problems_shown_here, why_it_matters
from playground.ui.kit.pictures import show_figure
from playground.ui.kit.session import bind_widget
from playground.ui.preferences_page.reward import RewardView, load_reward
from playground.ui.preferences_page.states import states_of
from playground.ui.runtime import session_id
from playground.ui.workspace.shared import visitor_limits

PROMPTS, EACH, NEW_TOKENS, SEED = 6, 32, 48, 0


@dataclass(frozen=True, slots=True)
class EqualKlLook:
    """``wanted``: the training that is to be compared, "" for none."""

    wanted: str = ""


@dataclass(eq=False)
class _Measured:
    """The last comparison, and of what: a redrawn picture computes nothing."""

    key: object = None
    comparison: EqualKl | None = None


def equal_kl_part(kept: KeptTraining) -> None:
    """The switch; then what is measured, as it comes."""
    wanted = session.get(EqualKlLook).wanted == kept.id

    def write(value: object) -> tuple[str, ...]:
        session.put(EqualKlLook(kept.id if value else ""))
        return (PICTURES,)

    st.toggle(
        "Against best-of-N at equal KL",
        wanted,
        key="preferences_dpo_equal",
        on_change=bind_widget("preferences_dpo_equal", wanted, write),
        help=f"Has both answer up to {PROMPTS} of its prompts {EACH} times, at temperature 1 and without other samplers, "
        f"{NEW_TOKENS} tokens at most; then the reward head of this ballot rates all answers. Minutes on a processor.",
    )
    if not wanted or kept.folder is None:
        return
    with problems_shown_here():
        comparison = _measure(kept, load_reward())
        bands = equal_kl_bands(comparison)
        show_figure(bands_figure(bands), bands_description(bands), key="preferences_dpo_equal_kl")
        st.markdown(escape_markdown(equal_kl_sentence(comparison)))
        why_it_matters(
            "Both leave the start by the same number of nats; what counts is how much reward that buys. The reward is the head "
            "of the ballot in view, taught by votes and no truth: best-of-N chooses by it, DPO has never seen it. Best-of-N's "
            "KL is an upper bound, and it writes N answers for each that it gives; DPO writes one.",
            "DPO",
            "KL divergence",
        )


def _prompts(kept: KeptTraining) -> tuple[str, ...]:
    """Held-out pairs' first."""
    rows = tuple(row for row in kept.rows if isinstance(row, Pair))
    parts = split(rows, kept.settings.heldout_share, kept.settings.seed)
    prompts = tuple(dict.fromkeys(row.prompt for row in (*parts.heldout, *parts.train) if not row.system))
    if not prompts:
        raise BadInput("All its prompts have a system prompt, which the reward head does not read.", "prompts")
    return prompts


def _measure(kept: KeptTraining, view: RewardView) -> EqualKl:
    """Raises Pending at each of its stages: both write, both rate DPO's answers, the reward head reads all."""
    assert kept.folder is not None
    both = before_and_after(kept.folder.name, 1.0)
    total = min(PROMPTS * EACH, visitor_limits().rows)
    prompts = _prompts(kept)[: max(1, min(PROMPTS, total // 8))]
    each = max(2, min(EACH, total // len(prompts)))
    workers = both.before, both.after
    start, policy = (
        _written(worker, f"preferences-equal-{name}", prompts, each, kept.settings.chat)
        for worker, name in zip(workers, ("start", "dpo"), strict=True)
    )
    ids = [(*one.prompt_ids, *map(int, filter(lambda token: token is not None, one.ids))) for one in policy]  # type: ignore[arg-type]
    before, after = (
        scores(worker, f"preferences-equal-{name}", ids)
        for worker, name in zip(workers, ("before", "after"), strict=True)
    )
    kls = [
        answer_kl(own[len(one.prompt_ids) :], other[len(one.prompt_ids) :])
        for one, own, other in zip(policy, after, before, strict=True)
    ]
    texts = [(prompts[one.index % len(prompts)], one.text) for one in (*start, *policy)]
    states = states_of(view.worker, "preferences-equal-states", texts)
    key = kept.id, kept.folder.name, view.head, tuple(texts)
    cached = session.get(_Measured)
    if cached.comparison is None or cached.key != key:
        rewards = states.astype(np.float64) @ view.head.weights
        own, others = (_by_prompt(part, len(prompts)) for part in (rewards[: len(start)], rewards[len(start) :]))
        cached.comparison = compare_at_equal_kl(own, others, _by_prompt(np.array(kls), len(prompts)))
        cached.key = key
    return cached.comparison


def _by_prompt(values: npt.NDArray[np.float64], prompts: int) -> Sequence[npt.NDArray[np.float64]]:
    """Answers are dealt in turn over the prompts."""
    return list(values.reshape(-1, prompts).T)


def _written(worker: Worker, slot: str, prompts: tuple[str, ...], each: int, chat: bool) -> tuple[Candidate, ...]:
    """``each`` answers to each prompt, in turn, drawn from the model's own distribution. Raises Pending."""
    codec = worker.engine.codec
    chat = chat and worker.engine.info.has_chat_template
    asked = CandidateRequest(
        tuple(Variation(encode_prompt(codec, prompt, chat=chat), NEUTRAL, str(n)) for n, prompt in enumerate(prompts)),
        each * len(prompts),
        NEW_TOKENS,
        SEED,
    )
    done = 0

    def job(engine: Engine, cancel: CancelToken) -> Generator[Event, None, tuple[Candidate, ...]]:
        run = yield from generate_candidates(engine, asked, cancel=cancel)
        return run.candidates

    def share(event: Event) -> float:
        nonlocal done
        done += event.tokens if isinstance(event, BatchStep) else 0
        return done / (asked.n * NEW_TOKENS)

    return result_of(
        slot,
        (worker.engine.info.revision, asked),
        lambda: worker.submit(session_id(), slot, job),
        f"{worker.engine.info.name} writes {asked.n} answers",
        share=share,
    )
