"""Texts generated together: sampled here where the engine offers ``Rows``, else by the engine through ``Stream``.

The one way to a text of pages and commands. Knows no model class, no address and no page.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

from playground.engine.api import CancelToken, Engine, Rows, Stream
from playground.engine.facets import offers
from playground.engine.limits import check_constraint
from playground.errors import BadInput, BadPrompt
from playground.generation.rows import decode_rows
from playground.generation.stopping import check_stop_ids
from playground.generation.streams import decode_streams, stream_request
from playground.generation.types import MOST_ROWS, Generation, GenerationRequest, GenerationStep


def samples_here(engine: Engine) -> bool:
    """Whether tokens are drawn in this process, every step recorded; else the engine draws, if it offers ``Stream``."""
    return offers(engine, Rows) or not offers(engine, Stream)


def generate(
    engine: Engine,
    requests: Sequence[GenerationRequest],
    *,
    cancel: CancelToken | None = None,
    branching: bool = True,
) -> Generator[GenerationStep, None, Generation]:
    """Generate ``requests`` together; yields after each step, returns everything at the end.

    While long prompts are read it yields steps without tokens, so that others have their turn. On an engine that samples
    by itself it waits for the engine between two steps.

    A job for ``Worker.submit``: ``lambda engine, cancel: generate(engine, requests, cancel=cancel)``. Raises before
    the model runs: BadInput for no rows, too many, unknown stop ids, or settings that the engine cannot be told, BadPrompt for
    prompts that cannot be read, CapabilityMissing for an engine with neither facet. Raises Cancelled between steps.
    """
    check_requests(requests, engine)
    token = cancel or CancelToken()
    if samples_here(engine):
        return (yield from decode_rows(engine, requests, token, branching=branching))
    return (yield from decode_streams(engine, requests, token))


def check_requests(requests: Sequence[GenerationRequest], engine: Engine) -> None:
    """Raise BadInput or BadPrompt for what no generation can start from."""
    if not 1 <= len(requests) <= MOST_ROWS:
        raise BadInput(f"n: from 1 to {MOST_ROWS} rows can be generated together, not {len(requests)}.", "n")
    info = engine.info
    for request in requests:
        check_stop_ids(request.stop_ids, info.vocab_size)
        held = len(request.prompt_ids) + len(request.generated_ids)
        if held + request.max_new_tokens > info.context_length:
            free = info.context_length - held
            advice = f"ask for at most {free:,}" if free > 0 else "shorten the prompt"
            raise BadPrompt(
                f"{held:,} tokens and {request.max_new_tokens:,} new ones are more than the {info.context_length:,} "
                f"{info.name} reads: {advice}.",
                field="max_new_tokens" if free > 0 else "prompt",
            )
        check_constraint(request.constraint, info)
        if not samples_here(engine):
            stream_request(request)
