"""What every section of the Sampling page looks at: the model's row of logits and the chain traced over it.

Only ``load_view`` asks the model, and only for a context it has no row for: a slider moves without a model call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from playground.engine.api import CancelToken, Engine, TextCodec
from playground.engine.serving.worker import Worker
from playground.engine.types import NextLogits, SequenceScore, TokenIds
from playground.errors import BadPrompt, PlaygroundError
from playground.inspection.next_token import NextToken, examine
from playground.inspection.next_token import mirostat_mu as ceiling_after
from playground.sampling.settings import SamplerSettings
from playground.state.setup import MAX_PROMPT_CHARACTERS, Setup
from playground.ui import state
from playground.ui.model_picker import chosen_model
from playground.ui.runtime import session_id, wait_for_model
from playground.ui.waiting import refuse_if_stopped, wait_for

T = TypeVar("T")
SCORED_TOKENS = 1_024  # longer texts are shown without each token's probability: scoring is a second full pass


@dataclass(frozen=True, slots=True)
class SamplingView:
    """One moment of the page. ``ids`` are prompt and accepted tokens; ``next`` is the distribution after them."""

    setup: Setup
    worker: Worker
    prompt_ids: TokenIds
    row: NextLogits
    next: NextToken

    @property
    def ids(self) -> TokenIds:
        return self.row.ids

    @property
    def codec(self) -> TextCodec:
        return self.worker.engine.codec


def load_view() -> SamplingView:
    """Everything the sections need. Raises a PlaygroundError that says what to change."""
    setup = state.setup()
    worker = wait_for_model(chosen_model())
    prompt_ids = encode_prompt(worker.engine.codec, setup)
    _check_taken(setup, worker.engine)
    row = next_logits(worker, prompt_ids + setup.taken)
    mu = mirostat_mu(worker, prompt_ids, setup)
    view = examine_row(worker, row, setup.settings, setup, prompt_ids, mu)
    return SamplingView(setup, worker, prompt_ids, row, view)


def load_view_or_nothing() -> SamplingView | None:
    """The view, or None where the text above the pictures has said already why there is none."""
    try:
        return load_view()
    except PlaygroundError:
        return None


def examine_row(
    worker: Worker, row: NextLogits, settings: SamplerSettings, setup: Setup, prompt_ids: TokenIds, mu: float | None
) -> NextToken:
    """The chain over ``row``, remembered for this session until something that matters changes."""
    key = (worker.engine.info.revision, row.ids, len(prompt_ids), settings, setup.seed, mu)
    memory: dict[object, tuple[object, NextToken]] = st.session_state.setdefault("traces", {})
    seen_row, seen = memory.get(key, (None, None))
    if seen is None or seen_row is not row.logits:  # another row of the same text: a kept one that was not confirmed
        while len(memory) >= 8:  # pins and order comparisons beside the present settings
            memory.pop(next(iter(memory)))
        seen = examine(
            row.logits,
            settings,
            prompt_ids=prompt_ids,
            generated_ids=row.ids[len(prompt_ids) :],
            seed=setup.seed,
            mirostat_mu=mu,
            codec=worker.engine.codec,
        )
        memory[key] = row.logits, seen
    return seen


def encode_prompt(codec: TextCodec, setup: Setup) -> TokenIds:
    """The prompt's token ids, raw or through the chat template. Raises BadPrompt with a next step."""
    if len(setup.prompt) > MAX_PROMPT_CHARACTERS:
        raise BadPrompt(
            f"The prompt has {len(setup.prompt):,} characters; the page reads at most {MAX_PROMPT_CHARACTERS:,}. Shorten it."
        )
    if setup.chat:
        if not setup.prompt.strip():
            raise BadPrompt("The message is empty. Type something into the Prompt box to see what would follow.")
        return codec.encode_chat(setup.prompt, system=setup.system or None, parse_special=setup.parse_special)
    ids = codec.encode(setup.prompt, parse_special=setup.parse_special) if setup.prompt else codec.start_ids
    if not ids:
        raise BadPrompt("The prompt is empty. Type something into the Prompt box to see what would follow.")
    return ids


def _check_taken(setup: Setup, engine: Engine) -> None:
    vocab = engine.info.vocab_size
    if any(token_id >= vocab for token_id in setup.taken):
        state.change(steps=(), position=0)
        raise BadPrompt(f"The accepted tokens do not exist in this model (it has {vocab:,}); they were dropped. Go on.")


def next_logits(worker: Worker, ids: TokenIds) -> NextLogits:
    """The row after ``ids``: from memory if it is known, else from the model, shown as it goes."""
    known = worker.engine.cached_logits(ids)
    if known is not None:
        return known
    work = f"next:{hash(ids)}"
    refuse_if_stopped(work)

    def job(engine: Engine, cancel: CancelToken) -> NextLogits:
        return engine.next_logits(ids, cancel=cancel)

    return _ask(worker, "next", job, f"The model reads {len(ids):,} tokens", work)


def _ask(worker: Worker, slot: str, job: Callable[[Engine, CancelToken], T], doing: str, key: str) -> T:
    return wait_for(worker.submit(session_id(), slot, job), doing, key=key)


def score_text(view: SamplingView) -> SequenceScore | None:
    """Each token's own probability, or None for a text too long to be read twice. Remembered while the text stays."""
    ids = view.ids
    if len(ids) > SCORED_TOKENS:
        return None
    key = (view.worker.engine.info.revision, ids)
    if st.session_state.get("score_key") != key:

        def job(engine: Engine, cancel: CancelToken) -> SequenceScore:
            return engine.score(ids, cancel=cancel)

        st.session_state["score"] = _ask(view.worker, "score", job, "The model rates each token", f"score:{hash(ids)}")
        st.session_state["score_key"] = key
    found = st.session_state["score"]
    return found if isinstance(found, SequenceScore) else None


def mirostat_mu(worker: Worker, prompt_ids: TokenIds, setup: Setup) -> float | None:
    """Mirostat's ceiling after the accepted tokens. None when Mirostat is off."""
    return ceiling_after(
        lambda ids: next_logits(worker, ids).logits,
        setup.settings,
        prompt_ids,
        setup.taken,
        setup.seed,
        worker.engine.codec,
    )
