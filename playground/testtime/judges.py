"""Scorers that ask a model: the loaded one as a judge, a reward model, a sentence encoder.

They know the engine's protocol and, of other models, only ``models.encoders`` and ``models.reward``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from playground.engine.api import Engine, NextTokens, Rows
from playground.engine.facets import offers, require
from playground.engine.limits import check_ids
from playground.engine.pieces import finish
from playground.engine.text.prompt import continuation_ids, encode_prompt
from playground.engine.types import FloatArray, NextRow, TokenIds, TopTokens
from playground.errors import BadInput
from playground.testtime.batching import plan_readings, reading_groups, usable_bytes
from playground.testtime.scoring import ScoreFunction, Scores, ScoringContext, refuse
from playground.testtime.types import Candidate, Score

JUDGE_TEMPLATES: dict[str, str] = {
    "correct": (
        "Here is a question and a proposed answer.\n\nQuestion: {prompt}\n\nProposed answer: {answer}\n\n"
        "Is the proposed answer correct? Answer with Yes or No."
    ),
    "helpful": (
        "Here is a request and a reply.\n\nRequest: {prompt}\n\nReply: {answer}\n\n"
        "Is the reply helpful and to the point? Answer with Yes or No."
    ),
}
"""What the judge reads, by name. {prompt} and {answer} are filled in; nothing inside them is a placeholder."""

YES = ("Yes", " Yes", "yes", " yes", "YES", " YES")
NO = ("No", " No", "no", " no", "NO", " NO")
_LONGEST_TEMPLATE = 4000  # characters
_EMBEDDED = 16  # texts in one pass of the sentence encoder


def judge_template(argument: str | None) -> str:
    """The template that an argument names or is. Raises BadInput for one without a place for the answer."""
    template = JUDGE_TEMPLATES.get(argument or "correct", argument or "")
    if "{answer}" not in template or len(template) > _LONGEST_TEMPLATE:
        choices = " or ".join(JUDGE_TEMPLATES)
        raise refuse(
            "judge", f"takes {choices}, or a template with {{answer}} of at most {_LONGEST_TEMPLATE:,} characters."
        )
    return template


def fill(template: str, prompt: str, answer: str) -> str:
    """The template with both texts in it, in one pass: a placeholder inside a text stays text."""
    texts = {"{prompt}": prompt, "{answer}": answer}
    return re.sub(r"\{prompt\}|\{answer\}", lambda match: texts[match[0]], template)


def make_judge(argument: str | None) -> ScoreFunction:
    """P("Yes") after the template, by the loaded model."""
    template = judge_template(argument)

    def run(candidates: Sequence[Candidate], context: ScoringContext) -> Scores:
        engine = context.engine
        assert engine is not None  # checked by ``running.score_all``
        yes, no = first_tokens(engine, YES), first_tokens(engine, NO)
        both = yes & no
        yes, no = yes - both, no - both
        if not yes or not no:
            yield from [Score(None, None, "This model's tokens do not tell Yes from No.")] * len(candidates)
            return
        scores: dict[str, Score] = {}
        questions: dict[str, TokenIds] = {}
        for text in _distinct(candidates):
            try:
                ids = judge_ids(engine, fill(template, context.prompt, text))
                questions[text] = check_ids(ids, engine.info)
            except BadInput as error:  # too long for the context
                scores[text] = Score(None, None, str(error))

        def read(texts: Sequence[str]) -> list[Score]:
            asked = [questions[text] for text in texts]
            rows = finish(require(engine, NextTokens).next_logits_in_pieces(asked, cancel=context.cancel))
            return [_said(row, yes, no) for row in rows]

        yield from _in_groups(candidates, context, scores, _judge_groups(engine, questions), read)

    return run


def _judge_groups(engine: Engine, questions: dict[str, TokenIds]) -> list[list[str]]:
    """The texts that are judged together, by what fits into memory; behind an address each alone."""
    if not offers(engine, Rows):
        return [[text] for text in questions]
    from playground.engine.hf.prefix import common_prefix  # imports transformers

    texts = _by_length({text: len(ids) for text, ids in questions.items()})
    ids = [questions[text] for text in texts]
    shared = min((common_prefix(ids[0], other) for other in ids), default=0)
    info = require(engine, Rows).info
    plan = plan_readings(info, [len(one) for one in ids], shared, usable_bytes(info))
    return [[texts[place] for place in places] for places in plan]


def _by_length(lengths: dict[str, int]) -> list[str]:
    """Texts of like length beside each other: what is read together is filled up to the longest."""
    return sorted(lengths, key=lambda text: lengths[text])


def _distinct(candidates: Sequence[Candidate]) -> list[str]:
    return list(dict.fromkeys(candidate.text for candidate in candidates))


def _in_groups(
    candidates: Sequence[Candidate],
    context: ScoringContext,
    scores: dict[str, Score],
    groups: Sequence[Sequence[str]],
    read: Callable[[Sequence[str]], Sequence[Score]],
) -> Scores:
    """A score a candidate, in order. ``groups``: the distinct texts that are not in ``scores``. A group is read when the
    first of its texts is asked for, so between two scores there is at most one reading, and the work can be cancelled.
    """
    group_of = {text: group for group in groups for text in group}
    for candidate in candidates:
        context.cancel.check()
        if candidate.text not in scores:
            group = group_of[candidate.text]
            scores |= zip(group, read(group), strict=True)
        yield scores[candidate.text]


def _said(row: NextRow, yes: set[int], no: set[int]) -> Score:
    """P(Yes) and P(No) in one row. Of a row whose likeliest tokens alone are told, what these hold: the verdict is open
    where the rest could turn it.
    """
    said_yes, said_no = mass_of(row, yes), mass_of(row, no)
    if isinstance(row, TopTokens):
        hidden = row.rest if (yes | no) - set(row.top_ids.tolist()) else 0.0
        verdict = said_yes > said_no if abs(said_yes - said_no) > hidden else None
        note = (
            f"P(Yes) at least {said_yes:.4f}, P(No) at least {said_no:.4f}, of the {len(row.top_ids)} likeliest tokens"
        )
        return Score(said_yes, verdict, note)
    return Score(said_yes, said_yes > said_no, f"P(Yes) {said_yes:.4f}, P(No) {said_no:.4f}")


def mass_of(row: NextRow, tokens: set[int]) -> float:
    """What these tokens hold together, of a row whose likeliest tokens alone are told at least."""
    if isinstance(row, TopTokens):
        prob_by_token = dict(zip(row.top_ids.tolist(), np.exp(row.logprobs.astype(np.float64)).tolist(), strict=True))
        return float(sum(prob_by_token.get(token, 0.0) for token in tokens))
    logits = row.logits.astype(np.float64)
    probs = np.exp(logits - logits.max())
    return float(probs[sorted(tokens)].sum() / probs.sum())


def judge_ids(engine: Engine, question: str) -> TokenIds:
    """The question as the model reads it: one user message where it has a chat template, else with ``Answer:``."""
    if engine.info.has_chat_template:
        return encode_prompt(engine.codec, question, chat=True)
    return encode_prompt(engine.codec, question + "\nAnswer:")


def first_tokens(engine: Engine, spellings: Sequence[str]) -> set[int]:
    """The first token of each spelling that is one token, or of all where none is; a start token is none of them."""
    encoded = [continuation_ids(engine.codec, text) for text in spellings]
    single = {ids[0] for ids in encoded if len(ids) == 1}
    return single or {ids[0] for ids in encoded if ids}


def make_reward(argument: str | None) -> ScoreFunction:
    """A sequence-classification checkpoint, read lazily at the first use. ``MODEL`` or ``MODEL#LABEL``."""
    if not argument or not argument.strip("#"):
        raise refuse("reward", "needs a local folder or a hub id such as org/name, then #label where it has several.")
    spec, _, label = argument.partition("#")

    def run(candidates: Sequence[Candidate], context: ScoringContext) -> Scores:
        from playground.models.reward import load_reward_model

        model = load_reward_model(spec, label or None)

        def read(texts: Sequence[str]) -> list[Score]:
            return [Score(value, None, model.meaning) for value in model.scores(context.prompt, texts)]

        given = _distinct(candidates)
        lengths = dict(zip(given, model.lengths(context.prompt, given), strict=True)) if given else {}
        texts = _by_length(lengths)
        plan = reading_groups([lengths[text] for text in texts])
        yield from _in_groups(candidates, context, {}, [[texts[place] for place in places] for places in plan], read)

    return run


def score_similarity(candidates: Sequence[Candidate], context: ScoringContext) -> Scores:
    """Cosine of the sentence embeddings of a candidate and the reference, from -1 to 1."""
    from playground.models.encoders import load_sentence_encoder

    encoder = load_sentence_encoder()
    reference = encoder.embed([context.reference or ""])[0]

    def read(texts: Sequence[str]) -> list[Score]:
        return [Score(_cosine(row, reference)) for row in encoder.embed(texts)]

    texts = _by_length({text: len(text) for text in _distinct(candidates)})
    groups = [texts[start : start + _EMBEDDED] for start in range(0, len(texts), _EMBEDDED)]
    yield from _in_groups(candidates, context, {}, groups, read)


def _cosine(left: FloatArray, right: FloatArray) -> float:
    """Of two unit vectors."""
    return float(np.clip(np.dot(left.astype(np.float64), right.astype(np.float64)), -1.0, 1.0))
