"""Guess the next word: from what is typed to a token, and what the guesses of a room are worth under the model.

Definitions, with p the model's raw distribution (temperature 1, no sampler) at the place of the guess:

- a guess scores ln p(token): 0 is certainty, -4.6 is 1 in 100;
- the room's perplexity is exp(-mean ln p(guess)): the model was as surprised by the room as by so many equal choices;
- the model's own is exp(H(p)), what a room that guessed at random from p would come to in the long run.

A room that always names the likeliest token comes below the model's own: it takes no part of the risk. Knows no page.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from playground.engine.api import TextCodec
from playground.engine.text.prompt import continuation_ids
from playground.engine.types import NextLogits
from playground.errors import BadInput
from playground.numerics import entropy, log_softmax, rank_of, top_ids
from playground.room.questions.types import MOST_GUESS, Answer, Guess, Guessed, GuessResult, Round, ScoredToken

PEOPLE_RIGHT, GPT3_RIGHT, SOURCE = 0.29, 0.49, "arXiv:2212.11281"
SHOWN_TOKENS = 12

_SPACELESS = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")
_OPENING = ("Ps", "Pi", "Sc")  # brackets and quotes that open, currency signs: a word may begin with them


# -- a word becomes a token ------------------------------------------------------------------------------------------------


def continuation(prompt: str, typed: str, *, joined: bool = False) -> str:
    """``typed`` as it goes on after ``prompt``: with a space before a new word, unless it is ``joined`` to what stands there.

    >>> continuation("on the", "mat"), continuation("on the", ","), continuation("walk", "ing", joined=True)
    (' mat', ',', 'ing')

    Raises BadInput for a guess that is empty or too long.
    """
    word = Guessed(typed).text.rstrip()
    if joined or word[:1].isspace() or not prompt or not _needs_space(prompt[-1], prompt[-2:-1], word[0]):
        return Guessed(word.lstrip() if joined else word).text
    return Guessed(f" {word}").text


def _needs_space(last: str, before: str, first: str) -> bool:
    """Whether a word that begins with ``first`` stands apart from a text that ends with ``before`` and ``last``."""
    if last.isspace() or unicodedata.category(last) in ("Ps", "Pi"):
        return False
    if last in "\"'" and not before.strip():  # a quote that has just been opened
        return False
    if any(unicodedata.name(letter, "").startswith(_SPACELESS) for letter in (last, first)):
        return False
    return unicodedata.category(first)[0] in "LN" or unicodedata.category(first) in _OPENING


def first_token(codec: TextCodec, text: str) -> int:
    """The token that ``text`` begins with where it goes on after another. Raises BadInput where there is none."""
    ids = continuation_ids(codec, text)
    if not ids:
        raise BadInput("The tokenizer makes no token of this guess: type another word.", "guess")
    return ids[0]


# -- what the model says -----------------------------------------------------------------------------------------------------


def score_guesses(
    codec: TextCodec, row: NextLogits, about: Guess, answers: Iterable[Answer], *, model: str
) -> GuessResult:
    """Every text guessed under ``row``, the model's distribution after the prompt."""
    logprobs = log_softmax(row.logits)

    def scored(token: int) -> ScoredToken:
        return ScoredToken(
            int(token), codec.piece(token, row.ids[-4:]), float(logprobs[token]), rank_of(row.logits, token)
        )

    texts = dict.fromkeys(a.given.text for a in answers if isinstance(a.given, Guessed))
    real = continuation(about.prompt, about.real_next[: MOST_GUESS - 1]) if about.real_next else ""
    return GuessResult(
        model=model,
        vocab_size=row.vocab_size,
        top=tuple(scored(int(token)) for token in top_ids(row.logits, SHOWN_TOKENS)),
        entropy=float(entropy(logprobs)),
        scored=tuple((text, scored(first_token(codec, text))) for text in texts),
        real=scored(first_token(codec, real)) if real else None,
    )


@dataclass(frozen=True, slots=True)
class GuessFigures:
    """What came out of one round, or of several together. Shares from 0 to 1; None where nobody can tell.

    ``likeliest``: guesses of the model's likeliest token. ``right``: guesses of the real next token. ``model_right``:
    rounds whose likeliest token is the real one. ``mean_logprob``: of the guesses, in nats.
    """

    guesses: int
    likeliest: float | None
    right: float | None
    model_right: float | None
    mean_logprob: float | None
    entropy: float

    @property
    def room_perplexity(self) -> float | None:
        return None if self.mean_logprob is None else math.exp(min(-self.mean_logprob, 700.0))

    @property
    def model_perplexity(self) -> float:
        return math.exp(min(self.entropy, 700.0))


def scores_of(one: Round) -> tuple[tuple[Answer, ScoredToken], ...]:
    """Each answer of a revealed round with the token it begins with. Those that came as it closed and have none are left out."""
    result = one.question.result
    scored = dict(result.scored) if isinstance(result, GuessResult) else {}
    pairs = ((answer, scored.get(answer.given.text)) for answer in one.answers if isinstance(answer.given, Guessed))
    return tuple((answer, token) for answer, token in pairs if token is not None)


def histogram(one: Round) -> tuple[tuple[ScoredToken, int], ...]:
    """The tokens guessed with how many guessed each: the commonest first, of equals the likelier."""
    scores = [token for _answer, token in scores_of(one)]
    counts = Counter(token.id for token in scores)
    tokens = {token.id: token for token in scores}
    return tuple((tokens[i], n) for i, n in sorted(counts.items(), key=lambda row: (-row[1], tokens[row[0]].rank)))


def figures(rounds: Iterable[Round]) -> GuessFigures | None:
    """Of the revealed ones among ``rounds``, every guess counting the same; None where none is revealed.

    Two guesses with p = 1/2 and 1/8 have a mean of -ln 4: perplexity 4.
    """
    done = [(one, one.question.result) for one in rounds if isinstance(one.question.result, GuessResult)]
    if not done:
        return None
    scores = [(result, token) for one, result in done for _answer, token in scores_of(one)]
    real = [(result.real.id, token.id) for result, token in scores if result.real is not None]
    model = [result.top[0].id == result.real.id for _one, result in done if result.real is not None]
    return GuessFigures(
        guesses=len(scores),
        likeliest=_mean([token.rank == 0 for _result, token in scores]),
        right=_mean([wanted == got for wanted, got in real]),
        model_right=_mean(model),
        mean_logprob=_mean([token.logprob for _result, token in scores]),
        entropy=sum(result.entropy for _one, result in done) / len(done),
    )


def _mean(values: list[bool] | list[float]) -> float | None:
    return sum(values) / len(values) if values else None
