"""A text that the engine samples by itself, where its rows cannot be sampled here: the same request, as far as it reaches.

What such an engine tells of a token is passed on as it is; what it does not tell is None. Knows no page and no address.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass

from playground.engine.api import CancelToken, Engine, Stream
from playground.engine.facets import require
from playground.engine.types import StreamedEnd, StreamedToken, StreamRequest
from playground.errors import BadInput
from playground.generation.loop import check_requests
from playground.generation.types import GenerationRequest

TOLD_SETTINGS = (
    "temperature",
    "top_k",
    "top_p",
    "min_p",
    "repetition_penalty",
    "presence_penalty",
    "frequency_penalty",
)
"""The parameters that an engine can be told; the other samplers run here only."""


@dataclass(frozen=True, slots=True)
class StreamedText:
    """One text to its end; ``seconds`` from the request to the end, reading included."""

    text: str
    reason: str
    tokens: tuple[StreamedToken, ...]
    seconds: float


def stream_request(asked: GenerationRequest) -> StreamRequest:
    """``asked`` as the engine is told it. Raises BadInput for what would be left out."""
    others = [name for name, _value in asked.settings.changed if name not in TOLD_SETTINGS]
    if others or asked.stop_ids:
        what = ", ".join([*others, *(["stop token ids"] if asked.stop_ids else [])])
        raise BadInput(
            f"This model samples by itself and cannot be told {what}: leave it out, or choose a model that runs in this process.",
            "settings",
        )
    return StreamRequest(
        ids=asked.prompt_ids + asked.generated_ids,
        max_new_tokens=asked.max_new_tokens,
        seed=asked.seed,
        stop=asked.stop_strings,
        ignore_eos=asked.ignore_eos,
        top=asked.top,
        **{name: getattr(asked.settings, name) for name in TOLD_SETTINGS},
    )


def stream_text(
    engine: Engine, asked: GenerationRequest, *, cancel: CancelToken | None = None
) -> Generator[StreamedToken, None, StreamedText]:
    """Each token as it comes; the text at the end. Raises CapabilityMissing, BadInput, BadPrompt and Cancelled."""
    check_requests([asked], engine.info)
    started, tokens = time.perf_counter(), list[StreamedToken]()
    ended: StreamedEnd | None = None
    for event in require(engine, Stream).stream(stream_request(asked), cancel=cancel):
        if isinstance(event, StreamedToken):
            tokens.append(event)
            yield event
        else:
            ended = event
    text = "".join(token.text for token in tokens) if ended is None else ended.text
    reason = "length" if ended is None else ended.reason
    return StreamedText(text, reason, tuple(tokens), time.perf_counter() - started)
