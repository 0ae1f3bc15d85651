"""``python -m playground score``: the probability the model gives to each token of a text."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Any

from playground.cli import options, output

if TYPE_CHECKING:
    from playground.engine.api import Engine
    from playground.engine.types import SequenceScore


def add_parser(subparsers: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser = subparsers.add_parser(
        "score", parents=[common], help="each token's probability in a given text", allow_abbrev=False
    )
    options.add_model_options(parser)
    options.add_whole_text_options(parser, "to rate")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Rate the text and print it."""
    from playground.engine.api import Score
    from playground.engine.facets import require

    text = options.read_whole_text(args, "to rate")
    engine = options.open_engine(args)
    scorer = require(engine, Score)
    codec = engine.codec
    ids = options.encode_whole_text(codec, args, text)
    result = _result(engine, scorer.score(ids), text)
    if args.json:
        output.print_json(result)
    else:
        _print_readable(result)
    return 0


def _result(engine: Engine, score: SequenceScore, text: str) -> dict[str, Any]:
    """Undefined figures are null: the first token has no probability, and a lone token no total."""
    from playground.inspection.next_token import CONTEXT_TAIL

    codec = engine.codec
    tokens = [
        {
            "id": token,
            "text": codec.piece(token, score.ids[max(0, place - CONTEXT_TAIL) : place]),
            "logprob": output.finite(float(score.logprobs[place])),
            "rank": score.rank_at(place),
            "entropy": output.finite(float(score.entropies[place])),
        }
        for place, token in enumerate(score.ids)
    ]
    rated = [float(value) for value in score.logprobs[1:]]
    total = math.fsum(rated) if rated else None
    # bits per byte: over the bytes of the rated tokens, since the first one is not paid for
    size = sum(len(codec.token_bytes(token)) for token in score.ids[1:])
    mean = total / len(rated) if total is not None else None
    return {
        "model": engine.info.id,
        "text": text,
        "tokens": tokens,
        "total_logprob": None if total is None else output.finite(total),
        "perplexity": None if mean is None or -mean > 700 else output.finite(math.exp(-mean)),
        "bits_per_byte": None if total is None or not size else output.finite(-total / math.log(2) / size),
    }


def _print_readable(result: dict[str, Any]) -> None:
    from playground.charts.numbers import logprob, percent

    def cells(token: dict[str, Any]) -> tuple[str, ...]:
        value = token["logprob"]
        if value is None:
            return (str(token["id"]), token["text"], "undefined", "", "", "")
        return (
            str(token["id"]),
            token["text"],
            logprob(value),
            percent(math.exp(value)),
            "unknown" if token["rank"] is None else str(token["rank"] + 1),
            "unknown" if token["entropy"] is None else f"{token['entropy']:.3f}",
        )

    output.print_table(("id", "text", "log-prob", "probability", "rank", "entropy, nats"), map(cells, result["tokens"]))
    if result["total_logprob"] is None:
        print("one token alone has no probability: nothing comes before it")
        return
    print(f"log-probability of the text given its first token: {logprob(result['total_logprob'])} nats")
    if result["perplexity"] is not None:
        print(f"perplexity a token: {result['perplexity']:.3f}")
    if result["bits_per_byte"] is not None:
        print(f"bits per byte: {result['bits_per_byte']:.4f}")
