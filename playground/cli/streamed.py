"""``generate`` on an engine that samples by itself: the text, and of each token what the engine tells."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from playground.cli import options

if TYPE_CHECKING:
    from playground.engine.api import Engine
    from playground.engine.types import StreamedToken
    from playground.generation import GenerationRequest
    from playground.generation.streaming import StreamedText


def print_streamed(engine: Engine, asked: GenerationRequest, *, as_json: bool) -> None:
    """Generate and print. Raises BadInput for settings that the engine cannot be told."""
    done = _run(engine, asked, shows=not as_json and sys.stderr.isatty())
    if as_json:
        options.print_json(_result(engine, asked, done))
    else:
        _print_end(done)


def _run(engine: Engine, asked: GenerationRequest, *, shows: bool) -> StreamedText:
    from playground.generation.streaming import stream_text

    return options.run_counted(stream_text(engine, asked), asked.max_new_tokens, shown=shows)


def _result(engine: Engine, asked: GenerationRequest, done: StreamedText) -> dict[str, Any]:
    """As of a text that was sampled here, without what only that has; ``sampled_by`` says so."""
    return {
        "model": engine.info.id,
        "sampled_by": "engine",
        "text": done.text,
        "finish_reason": done.reason,
        "prompt_ids": list(asked.prompt_ids),
        "seed": asked.seed,
        "steps": [
            {
                "id": token.id,
                "text": token.text,
                "raw_logprob": None if token.logprob is None else options.finite(token.logprob),
                "top": [
                    {"id": other, "text": engine.codec.piece(other), "raw_logprob": options.finite(logprob)}
                    for other, logprob in token.top
                ],
            }
            for token in done.tokens
        ],
        "timings": {"seconds": done.seconds, "new_tokens": len(done.tokens)},
    }


def _print_end(done: StreamedText) -> None:
    from playground.charts.numbers import logprob

    def cells(token: StreamedToken) -> tuple[str, ...]:
        told = "unknown" if token.logprob is None else logprob(token.logprob)
        return (str(token.index + 1), "unknown" if token.id is None else str(token.id), token.text, told)

    options.print_table(("step", "id", "text", "log-prob"), map(cells, done.tokens))
    print(f"ended by {done.reason}; sampled by the engine, which tells no more of its steps")
    print(f"{len(done.tokens)} tokens in {done.seconds:.2f} s")
    print()
    print("".join(character if character.isprintable() or character in "\n\t" else "\ufffd" for character in done.text))
