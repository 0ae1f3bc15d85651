"""What pages ask the model for about the shared text: the row of logits after it, and each token's own score.

Only ``next_row`` asks the model, and only for a context it has no row for: a slider moves without a model call. Both raise
Pending while the model is at work.
"""

from __future__ import annotations

from playground.engine.api import CancelToken, Engine, Score, TextCodec
from playground.engine.facets import offers, require, whole_row
from playground.engine.pieces import Pieces
from playground.engine.serving.turns import Priority
from playground.engine.serving.worker import Worker
from playground.engine.text.prompt import encode_prompt
from playground.engine.types import NextLogits, NextRow, SequenceScore, TokenIds
from playground.errors import BadPrompt
from playground.state.setup import MAX_PROMPT_CHARACTERS, Setup
from playground.ui.kit import session
from playground.ui.kit.jobs import result_of
from playground.ui.runtime import session_id
from playground.ui.workspace.shared import visitor_limits

SCORED_TOKENS = 1_024  # longer texts are shown without each token's probability: scoring is a second full pass


def encode_setup(codec: TextCodec, setup: Setup) -> TokenIds:
    """The shared prompt's token ids, see ``encode_prompt``. Raises BadPrompt and LimitReached with a next step."""
    if len(setup.prompt) > MAX_PROMPT_CHARACTERS:
        raise BadPrompt(
            f"The prompt has {len(setup.prompt):,} characters; the page reads at most {MAX_PROMPT_CHARACTERS:,}. Shorten it."
        )
    ids = encode_prompt(codec, setup.prompt, chat=setup.chat, system=setup.system, parse_special=setup.parse_special)
    visitor_limits().check_prompt(len(ids))
    return ids


def text_ids(worker: Worker) -> tuple[TokenIds, TokenIds]:
    """The ids of the shared prompt and of the tokens accepted after it, see ``encode_setup``.

    Accepted tokens that the model does not have are dropped, and the page says so.
    """
    vocab, setup = worker.engine.info.vocab_size, session.get(Setup)
    if any(token_id >= vocab for token_id in setup.taken):
        session.put(setup.restart())
        session.note_problem(
            f"The accepted tokens do not exist in this model (it has {vocab:,}); they were dropped. Go on."
        )
        setup = session.get(Setup)
    return encode_setup(worker.engine.codec, setup), setup.taken


def next_row(worker: Worker, ids: TokenIds, slot: str = "next") -> NextLogits:
    """The whole row after ``ids``. Raises CapabilityMissing for one that is told in part."""
    return whole_row(available_row(worker, ids, slot), "This page")


def available_row(worker: Worker, ids: TokenIds, slot: str = "next") -> NextRow:
    """The row after ``ids`` as far as the engine tells it: from memory if it is known, else from the model."""
    cached = worker.engine.cached_row(ids)
    if cached is not None:
        return cached
    return result_of(
        slot,
        (worker.engine.info.revision, ids),
        lambda: worker.next_row(session_id(), slot, ids),
        f"The model reads {len(ids):,} tokens",
    )


def score_text(worker: Worker, ids: TokenIds) -> SequenceScore | None:
    """Each token's own probability, or None for a text too long to be read twice. Remembered while the text stays."""
    if len(ids) > SCORED_TOKENS or not offers(worker.engine, Score):
        return None

    def job(engine: Engine, cancel: CancelToken) -> Pieces[SequenceScore]:
        return require(engine, Score).score_in_pieces(ids, cancel=cancel)

    return result_of(
        "score",
        (worker.engine.info.revision, ids),
        lambda: worker.submit(session_id(), "score", job, Priority.LOOK),
        "The model rates each token",
    )
