"""What can be asked, what is answered, what comes out: frozen data that checks itself.

Everything in it was typed by somebody: bounded here, escaped where it is shown. Knows no store, no model and no page.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

from playground.errors import BadInput

Kind = Literal["guess", "better", "temperature"]
State = Literal["open", "closed", "revealed", "finished"]
Winner = Literal["first", "second", "tie", "bad"]

KINDS: dict[str, str] = {
    "guess": "Guess the next word",
    "better": "Which answer is better?",
    "temperature": "Set the temperature",
}
WINNERS: tuple[Winner, ...] = ("first", "second", "tie", "bad")
MOST_PROMPT, MOST_ANSWER, MOST_PURPOSE, MOST_GUESS = 4_000, 4_000, 200, 60  # characters
MOST_ANSWERS, MOST_CHOICES, MOST_ROUNDS = 6, 8, 20
COOLEST, HOTTEST, TEMPERATURE_STEP = 0.0, 2.0, 0.05
SHORTEST_S, LONGEST_S = 5, 3_600  # of a timer

_BIDI_CONTROLS = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def tidy(text: str) -> str:
    """``text`` in NFC, without what nobody can see: control characters except line breaks and tabs, half surrogates, and
    marks that turn the direction of the text around it."""
    kept = (
        letter
        for letter in unicodedata.normalize("NFC", text)
        if letter not in _BIDI_CONTROLS and (letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs"))
    )
    return "".join(kept)


def _bounded(text: str, most: int, what: str, field: str, *, needed: bool = True) -> str:
    """``text`` as it is stored. Raises BadInput for one that is too long, or empty where it is ``needed``."""
    if len(text) > most:
        raise BadInput(f"The {what} has {len(text):,} characters, at most {most:,} are taken: shorten it.", field)
    clean = tidy(text)
    if needed and not clean.strip():
        raise BadInput(f"The {what} is empty: type it first.", field)
    return clean


def check_seconds(seconds: int) -> int:
    """Of a timer, 0 for none. Raises BadInput for what is no time to answer."""
    if seconds and not SHORTEST_S <= seconds <= LONGEST_S:
        raise BadInput(f"A timer runs for {SHORTEST_S} to {LONGEST_S:,} seconds; 0 is none.", "seconds")
    return seconds


# -- what is asked ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Guess:
    """How does ``prompt`` go on? ``real_next``: the next word of the text it was taken from, where the leader knows it.

    ``choices``: words to pick from, none where the room types. ``model``: its name, whose tokens the guesses become.
    ``rounds``: how many the leader means to ask. Spaces at the end of the prompt are dropped: tokens begin with their space.
    """

    prompt: str
    real_next: str = ""
    choices: tuple[str, ...] = ()
    model: str = ""
    rounds: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "prompt", _bounded(self.prompt, MOST_PROMPT, "text", "prompt").rstrip(" "))
        real = _bounded(self.real_next, MOST_PURPOSE, "real next word", "real_next", needed=False)
        object.__setattr__(self, "real_next", real.strip())
        words = (_bounded(word, MOST_GUESS - 1, "word to pick", "choices").strip() for word in self.choices)
        object.__setattr__(self, "choices", tuple(dict.fromkeys(words)))
        if len(self.choices) > MOST_CHOICES or len(self.choices) == 1:
            raise BadInput(f"Give 2 to {MOST_CHOICES} different words to pick from, or none.", "choices")


@dataclass(frozen=True, slots=True)
class Better:
    """Which of two ``answers`` to ``prompt`` is better? ``pair``: the two, of 2 to 6 that the rounds compare.

    ``run``: the recorded run they are from, "" for texts that were typed.
    """

    prompt: str
    answers: tuple[str, ...]
    pair: tuple[int, int] = (0, 1)
    run: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "prompt", _bounded(self.prompt, MOST_PROMPT, "question", "prompt", needed=False))
        if not 2 <= len(self.answers) <= MOST_ANSWERS:
            raise BadInput(f"{len(self.answers)} answers: give 2 to {MOST_ANSWERS} to be compared.", "answers")
        texts = tuple(_bounded(text, MOST_ANSWER, "answer", "answers") for text in self.answers)
        if len(set(texts)) < len(texts):
            raise BadInput("Two answers are the same text: change one of them.", "answers")
        object.__setattr__(self, "answers", texts)
        first, second = self.pair
        if first == second or not {first, second} <= set(range(len(texts))):
            raise BadInput("A pair must name two of the answers.", "pair")


@dataclass(frozen=True, slots=True)
class Temperature:
    """Which temperature suits ``purpose``? ``prompt``: what the model is given at the settings of the room."""

    purpose: str
    prompt: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "purpose", _bounded(self.purpose, MOST_PURPOSE, "purpose", "purpose").strip())
        object.__setattr__(self, "prompt", _bounded(self.prompt, MOST_PROMPT, "text for the model", "prompt"))


About = Guess | Better | Temperature


def kind_of(about: About) -> Kind:
    return "guess" if isinstance(about, Guess) else "better" if isinstance(about, Better) else "temperature"


@dataclass(frozen=True, slots=True)
class LessonQuestion:
    """A question as a lesson's file states it. ``purpose``: of a temperature; of answers what is asked, where there is no
    ``prompt``. ``rounds``: of a guess. ``real_next``: of its first round. ``answers``: two
    to six texts to compare; none for those of a recorded run, which the leader chooses. ``seconds``: how long each round is
    open; 0: until the leader closes it.
    """

    kind: str
    purpose: str = ""
    prompt: str = ""
    rounds: int = 1
    real_next: str = ""
    answers: tuple[str, ...] = ()
    seconds: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInput(f"A question is one of {', '.join(KINDS)}: change its kind.", "kind")
        if not 1 <= self.rounds <= MOST_ROUNDS:
            raise BadInput(f"A question has 1 to {MOST_ROUNDS} rounds.", "rounds")
        check_seconds(self.seconds)
        _bounded(self.purpose, MOST_PURPOSE, "purpose", "purpose", needed=False)
        _bounded(self.prompt, MOST_PROMPT, "text", "prompt", needed=False)
        _bounded(self.real_next, MOST_PURPOSE, "real next word", "real_next", needed=False)
        if self.answers:
            Better(self.prompt, self.answers)


# -- what is answered ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Guessed:
    """What comes next, with the space before it where there is one: `` mat``."""

    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", _bounded(self.text, MOST_GUESS, "guess", "guess"))


@dataclass(frozen=True, slots=True)
class Voted:
    """``winner`` by the pair's own order; ``left``: which of the two this voter saw on the left."""

    winner: Winner
    left: Literal["first", "second"]

    def __post_init__(self) -> None:
        if self.winner not in WINNERS or self.left not in ("first", "second"):
            raise BadInput("A vote is for one of the two answers, a tie, or both bad.", "vote")


@dataclass(frozen=True, slots=True)
class Moved:
    """A slider's setting."""

    temperature: float

    def __post_init__(self) -> None:
        if not COOLEST <= self.temperature <= HOTTEST:  # false for NaN as well
            raise BadInput(f"A temperature is a number from {COOLEST:g} to {HOTTEST:g}.", "temperature")


Given = Guessed | Voted | Moved
GIVEN: dict[Kind, type[Guessed] | type[Voted] | type[Moved]] = {"guess": Guessed, "better": Voted, "temperature": Moved}


@dataclass(frozen=True, slots=True)
class Answer:
    """One visitor's, the last given. ``at``: seconds since 1970."""

    visitor: str
    given: Given
    at: float


# -- what comes out --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScoredToken:
    """A token under the model: ``text`` as the tokenizer has it, natural log-probability, rank (0 is the likeliest)."""

    id: int
    text: str
    logprob: float
    rank: int


@dataclass(frozen=True, slots=True)
class GuessResult:
    """The model's raw distribution at the place of a guess. ``top``: its likeliest tokens. ``entropy`` in nats.

    ``scored``: for each text guessed, the token it begins with. ``real``: the token that the real next word begins with.
    """

    model: str
    vocab_size: int
    top: tuple[ScoredToken, ...]
    entropy: float
    scored: tuple[tuple[str, ScoredToken], ...]
    real: ScoredToken | None = None


@dataclass(frozen=True, slots=True)
class WrittenText:
    """What the model wrote at a temperature of the room's; ``name``: lowest, median or highest."""

    name: str
    temperature: float
    text: str


@dataclass(frozen=True, slots=True)
class TemperatureResult:
    """Texts at the room's settings, all of one seed."""

    model: str
    seed: int
    texts: tuple[WrittenText, ...]


Result = GuessResult | TemperatureResult


@dataclass(frozen=True, slots=True)
class Question:
    """One round. Those of one ``series`` make a table. ``room``: its id. ``asked``: seconds since 1970.

    ``seconds``: of its timer, with which the next round begins too; 0 for none. ``closes``: when that ends, since 1970; None
    while none runs.
    """

    id: str
    room: str
    series: str
    round: int
    asked: float
    state: State
    about: About
    result: Result | None = None
    seconds: int = 0
    closes: float | None = None

    @property
    def kind(self) -> Kind:
        return kind_of(self.about)


@dataclass(frozen=True, slots=True)
class Round:
    """A question with its answers, in the order of visitors' first ones."""

    question: Question
    answers: tuple[Answer, ...]

    def of(self, visitor: str) -> Answer | None:
        """This visitor's answer, if there is one."""
        return next((answer for answer in self.answers if answer.visitor == visitor), None)


@dataclass(frozen=True, slots=True)
class Stage:
    """What is asked now. ``version`` grows with every change of it, ``answered`` with every visitor who answers."""

    question: Question | None
    answered: int
    version: int
