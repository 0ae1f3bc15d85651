"""Whether a model answers in the language that it was asked in: a few questions, its likeliest answers, their language.

The language of an answer is what py3langid says of it, which is sure of sentences and unsure of single words.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from playground.corpus.language_id import identify
from playground.engine.api import CancelToken, Engine
from playground.generation import GenerationRequest, generate
from playground.sampling.settings import SamplerSettings

NEW_TOKENS = 40
_LIKELIEST = SamplerSettings(temperature=0.0)
_SHORTEST = 12  # letters: of less an identifier says anything

# The same two questions: how does bread rise, and what is a river? By ISO 639-1.
QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "en": ("Why does bread dough rise?", "What is a river? Explain it in two sentences."),
    "fr": ("Pourquoi la pâte à pain lève-t-elle ?", "Qu'est-ce qu'une rivière ? Explique-le en deux phrases."),
    "de": ("Warum geht Brotteig auf?", "Was ist ein Fluss? Erkläre es in zwei Sätzen."),
    "es": ("¿Por qué sube la masa del pan?", "¿Qué es un río? Explícalo en dos frases."),
    "ru": ("Почему поднимается тесто для хлеба?", "Что такое река? Объясни в двух предложениях."),
    "zh": ("为什么面包面团会发起来？", "什么是河流？请用两句话解释。"),
    "ja": ("パン生地はなぜ膨らむのですか。", "川とは何ですか。二つの文で説明してください。"),
    "hi": ("रोटी का आटा क्यों फूलता है?", "नदी क्या होती है? दो वाक्यों में समझाइए।"),
}
NAMES = {
    "en": "English",
    "fr": "French",
    "de": "German",
    "es": "Spanish",
    "ru": "Russian",
    "zh": "Chinese",
    "ja": "Japanese",
    "hi": "Hindi",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """``asked`` and ``answered``: ISO 639-1; "" for an answer too short to tell."""

    asked: str
    question: str
    text: str
    answered: str
    probability: float

    @property
    def elsewhere(self) -> bool:
        """Whether it is in another language than the question."""
        return bool(self.answered) and self.answered != self.asked


def answers_job(engine: Engine, cancel: CancelToken) -> Generator[object, None, tuple[Answer, ...]]:
    """A job for ``Worker.submit``: all questions answered together by the likeliest tokens; a step a token."""
    asked = [(code, question) for code, questions in QUESTIONS.items() for question in questions]
    requests = [
        GenerationRequest(engine.codec.encode_chat(question), _LIKELIEST, max_new_tokens=NEW_TOKENS, top=0)
        for _code, question in asked
    ]
    generation = yield from generate(engine, requests, cancel=cancel, branching=False)
    return tuple(
        answer_of(code, question, row.text) for (code, question), row in zip(asked, generation.rows, strict=True)
    )


def answer_of(asked: str, question: str, text: str) -> Answer:
    """An answer with its language.

    >>> answer_of("fr", "Pourquoi ?", "Because the yeast makes gas, which blows it up.").elsewhere
    True
    """
    if len(text.strip()) < _SHORTEST:
        return Answer(asked, question, text, "", 0.0)
    said = identify(text)
    return Answer(asked, question, text, said.language, said.probability)


def counted(answers: Sequence[Answer]) -> dict[str, tuple[int, int]]:
    """By language asked: answers in another language, and all whose language can be told."""
    return {
        code: (
            sum(each.elsewhere for each in answers if each.asked == code),
            sum(bool(each.answered) for each in answers if each.asked == code),
        )
        for code in dict.fromkeys(each.asked for each in answers)
    }
