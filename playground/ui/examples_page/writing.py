"""Short texts that several tabs show side by side: asked for once, all of a model's rows in one batch."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from playground.charts.generation_strip import shown_text, step_lines
from playground.charts.token_strip import StripToken
from playground.engine.api import CancelToken, Engine, TextCodec
from playground.engine.serving.worker import Worker
from playground.engine.types import TokenIds
from playground.generation import GenerationRequest, GenerationStep, RowResult, check_requests, generate
from playground.generation.document import step_pieces
from playground.sampling.settings import SamplerSettings
from playground.state.examples import ExamplesState
from playground.ui.kit import session
from playground.ui.kit.jobs import result_of
from playground.ui.kit.widgets import Bound
from playground.ui.runtime import session_id
from playground.ui.workspace.setup import setup
from playground.ui.workspace.shared import check_requests as check_visitor

_GREEDY = SamplerSettings(temperature=0.0)
ENDINGS = {"length": "", "eos": "ended by itself", "stop": "ended by a stop string", "stop_id": "ended by a stop token"}


def writing_controls() -> None:
    """How texts are written, and how long they get."""
    bound = Bound(ExamplesState)
    bound.segmented("way")
    bound.number("tokens", width=130)


def written(worker: Worker, slot: str, prompts: Sequence[TokenIds]) -> tuple[RowResult, ...]:
    """A text after each prompt. Raises Pending while they are written, and what refuses them."""
    shown, own = session.get(ExamplesState), setup()
    settings = _GREEDY if shown.way == "likeliest" else own.settings
    requests = [GenerationRequest(ids, settings, shown.tokens, own.seed, top=3) for ids in prompts]
    check_requests(requests, worker.engine)
    check_visitor(requests)
    done = 0

    def job(engine: Engine, cancel: CancelToken) -> Generator[GenerationStep, None, tuple[RowResult, ...]]:
        generation = yield from generate(engine, requests, cancel=cancel, branching=False)
        return generation.rows

    def share(step: GenerationStep) -> float:
        nonlocal done
        done += step.new_tokens
        return done / sum(request.max_new_tokens for request in requests)

    return result_of(
        slot,
        (worker.engine.info.revision, tuple(requests)),
        lambda: worker.submit(session_id(), slot, job),
        f"{worker.engine.info.name} writes",
        share=share,
    )


def text_strip(codec: TextCodec, row: RowResult) -> list[StripToken]:
    """A written text, a button for each token, with how likely it was."""
    steps = row.steps
    texts = step_pieces(codec, steps, row.request.prompt_ids)
    tokens = []
    for step, text in zip(steps, texts, strict=True):
        special = step.id is not None and codec.is_special(step.id)
        lines = tuple(step_lines(step, shown_text(text), False, False)[:3])
        kind = "step special" if special else "step"
        tokens.append(StripToken(shown_text(text), "", kind, lines, breaks=text.endswith("\n")))
    return tokens
