"""Who offers which facet of the seam, and the one sentence for an engine that does not. Knows no engine class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, cast

from playground.engine.api import Attention, Echo, Engine, Hidden, NextTokens, Rows, Score, Stream, Weights
from playground.engine.types import NextLogits, NextRow
from playground.errors import CapabilityMissing

F = TypeVar("F")

_IN_PROCESS = "come from models that transformers runs in this process"

# facet: what it gives and which engines give it, as the beginning of a sentence
FACETS: dict[type, str] = {
    NextTokens: "Next-token probabilities come from engines that tell them (transformers, llama.cpp, vLLM, SGLang)",
    Rows: f"Rows that are sampled here, every step recorded, {_IN_PROCESS}",
    Stream: "Streamed texts come from engines that generate (transformers, llama.cpp, vLLM, SGLang)",
    Score: "Log-probabilities of a given text come from models run by transformers, and from servers that score prompts",
    Attention: f"Attention weights {_IN_PROCESS} and that have attention layers",
    Hidden: f"Hidden states of the layers {_IN_PROCESS}",
    Weights: f"Weights of the model {_IN_PROCESS}",
    Echo: "The settings that a server says it used come from llama.cpp's",
}


def offers(engine: Engine, facet: type) -> bool:
    """Whether ``engine`` has ``facet``, one of ``FACETS``."""
    return facet in engine.facets


def require(engine: Engine, facet: type[F]) -> F:
    """``engine`` as the ``facet`` it offers. Raises CapabilityMissing with who offers it, where it does not."""
    if facet not in engine.facets:
        kind = f" ({engine.info.architecture})" if engine.info.architecture else ""
        own = ", ".join(offered.__name__ for offered in FACETS if offered in engine.facets) or "nothing"
        raise CapabilityMissing(
            f"{FACETS[facet]}; {engine.info.name}{kind} has {own}: choose another model in the sidebar or with --model."
        )
    return cast(F, engine)


def require_any(engine: Engine, facets: Sequence[type]) -> None:
    """Raises CapabilityMissing as ``require`` for the last of ``facets`` where ``engine`` has none of them."""
    if not any(offers(engine, facet) for facet in facets):
        require(engine, facets[-1])


def require_level(row: NextLogits, multiplies: bool) -> NextLogits:
    """``row`` if its logits can be multiplied, where somebody ``multiplies`` them: the repetition penalty does.

    Raises CapabilityMissing for a row that was told as log-probabilities: multiplied they are something else.
    """
    if multiplies and row.normalised:
        raise CapabilityMissing(
            "The repetition penalty multiplies logits, and this engine tells log-probabilities, which are logits less an "
            "unknown number: reset it, or choose a model that runs in this process."
        )
    return row


def whole_row(row: NextRow, what: str) -> NextLogits:
    """``row`` if it is the whole distribution. Raises CapabilityMissing: ``what`` needs it and this engine has the top."""
    if isinstance(row, NextLogits):
        return row
    raise CapabilityMissing(
        f"{what} needs the whole next-token distribution, and this engine tells the {row.top_ids.size:,} likeliest of "
        f"{row.vocab_size:,} tokens: choose a model that runs in this process."
    )
