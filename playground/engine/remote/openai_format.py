"""The log-probabilities of OpenAI's interface, in the two shapes that servers give them. Knows no requests.

Completions have parallel lists (``tokens``, ``token_logprobs``, ``top_logprobs``), chats and llama.cpp a list of entries
(``content``). Tokens are named by their text, which need not name one: those that name none are left out of a row, so their
probability is in the rest, and a drawn one has no id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from playground.engine.remote.reading import Answer

_AS_ID = re.compile(r"token_id:(\d{1,9})")  # vLLM's ``return_tokens_as_token_ids``
_AS_BYTES = re.compile(r"bytes:((?:\\x[0-9a-f]{2})+)")


@dataclass(frozen=True, slots=True)
class StreamedStep:
    """One token of a text: its id where it could be told, its log-probability, and the likeliest of its row.

    ``unnamed``: the largest log-probability that a token may have whose id could not be told; None where there is none.
    """

    id: int | None
    text: str
    logprob: float | None
    top: tuple[tuple[int, float], ...]
    unnamed: float | None = None


class TokenNames:
    """From what a server calls a token to its id. ``by_bytes``: of each of the tokenizer's tokens, special ones by name;
    those from ``size`` on are none of the model's."""

    def __init__(self, by_bytes: Mapping[bytes, int], size: int) -> None:
        self._by_bytes = by_bytes
        self.size = size

    def id_of(self, name: str, data: bytes = b"") -> int | None:
        """None where no token, or more than one, is called so. Raises nothing: a stranger's name may be anything."""
        as_id, as_bytes = _AS_ID.fullmatch(name), _AS_BYTES.fullmatch(name)
        if as_id:
            return int(as_id[1]) if int(as_id[1]) < self.size else None
        if as_bytes:
            data = bytes.fromhex(as_bytes[1].replace("\\x", ""))
        token = self._by_bytes.get(data or name.encode("utf-8", errors="surrogatepass"))
        return token if token is not None and token < self.size else None


def streamed_steps(choice: Answer, names: TokenNames) -> list[StreamedStep]:
    """The steps that a choice tells of; none where it tells no log-probabilities. Raises ServerError."""
    if not choice.has("logprobs"):
        return []
    logprobs_answer = choice.child("logprobs")
    if logprobs_answer.has("content"):
        return [_from_entry(entry, names) for entry in logprobs_answer.children("content")]
    if not logprobs_answer.has("tokens"):
        return []
    tokens, logprobs = logprobs_answer.items("tokens"), logprobs_answer.items("token_logprobs")
    tops = logprobs_answer.items("top_logprobs") if logprobs_answer.has("top_logprobs") else [None] * len(tokens)
    if not len(tokens) == len(logprobs) == len(tops):
        raise logprobs_answer.wrong("tokens")
    return [_from_lists(logprobs_answer, *one, names) for one in zip(tokens, logprobs, tops, strict=True)]


def _from_entry(entry: Answer, names: TokenNames) -> StreamedStep:
    others = entry.children("top_logprobs") if entry.has("top_logprobs") else []
    pairs = [(names.id_of(one.text("token"), one.data("bytes")), one.logprob("logprob")) for one in others]
    name = entry.text("token")
    return StreamedStep(
        names.id_of(name, entry.data("bytes")), name, entry.logprob("logprob"), _ranked(pairs), _unnamed(pairs)
    )


def _from_lists(logprobs_answer: Answer, name: object, logprob: object, top: object, names: TokenNames) -> StreamedStep:
    one = Answer({"token": name, "logprob": logprob, "top": top}, logprobs_answer.address)
    pairs: list[tuple[int | None, float]] = []
    if isinstance(top, Mapping):
        row = one.child("top")
        pairs = [(names.id_of(other), row.logprob(other)) for other in top]
    text = one.text("token")
    own = one.logprob("logprob") if one.has("logprob") else None
    hidden = 0.0 if any(token is None for token, _ in pairs) else None  # of several with one name the list has one
    return StreamedStep(names.id_of(text), text, own, _ranked(pairs), hidden)


def _ranked(pairs: list[tuple[int | None, float]]) -> tuple[tuple[int, float], ...]:
    """Those with an id, each once, likeliest first."""
    best: dict[int, float] = {}
    for token, logprob in pairs:
        if token is not None:
            best[token] = max(logprob, best.get(token, logprob))
    return tuple(sorted(best.items(), key=lambda pair: (-pair[1], pair[0])))


def _unnamed(pairs: list[tuple[int | None, float]]) -> float | None:
    return max((logprob for token, logprob in pairs if token is None), default=None)
