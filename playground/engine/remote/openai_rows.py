"""A row, or the log-probabilities of a given text, from a server with OpenAI's completions, as its kind tells them.

vLLM's fields are those of its ``CompletionRequest``, SGLang's those of its native ``/generate``, which takes ids and tells
ids. Knows neither texts nor what the answers are for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from playground.engine.api import CancelToken
from playground.engine.remote.http import ServerClient
from playground.engine.remote.kinds import ServerKind
from playground.engine.remote.openai_format import StreamedStep, TokenNames, streamed_steps
from playground.engine.remote.prompt_scores import prompt_score
from playground.engine.remote.reading import Answer
from playground.engine.types import SequenceScore, TokenIds

ENTRY_BYTES = 600  # of one token in an answer
NEUTRAL: Mapping[str, object] = {"temperature": 1.0, "top_p": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0}
_RANKED = 20  # likeliest tokens asked for with each of a text's own, where a rank is only told so

Prompt = str | Sequence[int]


class CompletionRows:
    """Asks for one token more than the prompt, which nobody looks at. Raises ServerError and Cancelled."""

    def __init__(self, client: ServerClient, kind: ServerKind, model: str, names: TokenNames) -> None:
        self._client, self._kind, self._model, self.names = client, kind, model, names

    def ask(self, prompt: Prompt, cancel: CancelToken | None = None, entries: int = 0, **settings: object) -> Answer:
        """The answer to a completion of one token. ``entries``: the tokens that it may tell of."""
        body: Mapping[str, object] = {
            "model": self._model,
            "prompt": prompt if isinstance(prompt, str) else list(prompt),
            "max_tokens": 1,
            **NEUTRAL,
            **self._kind.neutral,
            **settings,
        }
        return self._post(self._client.address.base + "/completions", body, cancel, entries)

    def _post(self, url: str, body: Mapping[str, object], cancel: CancelToken | None, entries: int) -> Answer:
        limit = ENTRY_BYTES * (entries + 4) + 2**20
        return Answer(self._client.ask(url, body, cancel=cancel, limit=limit), self._client.address)

    def row(
        self, prompt: Prompt, count: int, cancel: CancelToken | None = None, **settings: object
    ) -> StreamedStep | None:
        """The step after ``prompt`` with the ``count`` likeliest tokens; None where the server tells none."""
        choices = self.ask(prompt, cancel, count, logprobs=count, **settings).children("choices")
        steps = streamed_steps(choices[0], self.names) if choices else []
        return steps[0] if steps and steps[0].top else None

    def score(self, ids: TokenIds, cancel: CancelToken | None = None) -> SequenceScore:
        """Log-probabilities and ranks of ``ids``; entropies are unknown (NaN)."""
        choices = self.ask(ids, cancel, len(ids), prompt_logprobs=1).children("choices")
        return prompt_score(choices[0] if choices else Answer({}, self._client.address), ids)


class GenerateRows(CompletionRows):
    """The same from SGLang's ``/generate``. What asks for settings of a sampler is a completion still."""

    def row(
        self, prompt: Prompt, count: int, cancel: CancelToken | None = None, **settings: object
    ) -> StreamedStep | None:
        if settings or isinstance(prompt, str):
            return super().row(prompt, count, cancel, **settings)
        facts = self._generate(prompt, count, -1, cancel)
        drawn, rows = facts.items("output_token_logprobs"), facts.items("output_top_logprobs")
        if not drawn or not rows or not isinstance(rows[0], list):
            return None
        pairs = [self._pair(one, facts) for one in rows[0]]
        token, logprob = self._pair(drawn[0], facts)
        by_token = {one: value for one, value in pairs if one < self.names.size}
        unnamed = max((value for one, value in pairs if one >= self.names.size), default=None)
        top = tuple(sorted(by_token.items(), key=lambda pair: (-pair[1], pair[0])))
        return StreamedStep(token, "", logprob, top, unnamed) if top else None

    def score(self, ids: TokenIds, cancel: CancelToken | None = None) -> SequenceScore:
        """A rank is told as far as the likeliest tokens go; beyond it is unknown (-1)."""
        facts = self._generate(ids, _RANKED, 0, cancel)
        entries, tops = facts.items("input_token_logprobs"), facts.items("input_top_logprobs")
        if not len(entries) == len(tops) == len(ids):
            raise facts.wrong("input_token_logprobs")
        logprobs, ranks = [math.nan], [-1]
        for token, entry, top in zip(ids[1:], entries[1:], tops[1:], strict=True):
            own, logprob = self._pair(entry, facts)
            if own != token:
                raise facts.wrong("input_token_logprobs")
            before = [
                value for _id, value in (self._pair(one, facts) for one in (top if isinstance(top, list) else []))
            ]
            above = sum(value > logprob for value in before)
            logprobs.append(logprob)
            ranks.append(above if above < len(before) else -1)
        unknown = np.full(len(ids), np.nan, dtype=np.float32)
        return SequenceScore(ids, np.array(logprobs, np.float32), np.array(ranks, np.int32), unknown)

    def _generate(self, ids: Sequence[int], count: int, start: int, cancel: CancelToken | None) -> Answer:
        """``meta_info`` of the answer with log-probabilities of the positions from ``start`` on; -1: of the new token's."""
        body: Mapping[str, object] = {
            "input_ids": list(ids),
            "sampling_params": {"max_new_tokens": 1, **NEUTRAL, **self._kind.neutral},
            "return_logprob": True,
            "top_logprobs_num": count,
            "logprob_start_len": start,
        }
        entries = count * (1 if start < 0 else len(ids))
        return self._post(self._client.address.root + "/generate", body, cancel, entries).child("meta_info")

    @staticmethod
    def _pair(entry: object, facts: Answer) -> tuple[int, float]:
        """Id and log-probability of an entry ``[logprob, id, text]``."""
        if not isinstance(entry, list) or len(entry) < 2:
            raise facts.wrong("logprobs")
        one = Answer({"logprob": entry[0], "id": entry[1]}, facts.address)
        return one.whole("id"), one.logprob("logprob")
