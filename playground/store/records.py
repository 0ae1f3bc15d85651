"""The rows of the database as frozen data. Texts named so hold JSON; bytes hold little-endian arrays."""

from __future__ import annotations

from dataclasses import dataclass

from playground.errors import PlaygroundError

LOCAL = "local"  # whose is what is stored where nobody is told apart: on one's own machine, by the command line


class StoreError(PlaygroundError):
    """Nothing can be stored or read: the disk is full, the folder cannot be written, the database is damaged or away."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run. ``created``, ``written`` (last): seconds since 1970. ``request``, ``origin``, ``cost``: JSON. ``owner``: the
    process that writes it, as ``owner.this_process`` names it. ``finished``: how many candidates are stored; counted when read.
    ``visitor``: whose it is.
    """

    id: str
    created: float
    request: str
    origin: str
    status: str
    owner: str
    written: float
    cost: str
    finished: int = 0
    visitor: str = LOCAL


@dataclass(frozen=True, slots=True)
class CandidateRecord:
    """One candidate of a run. ``place``: its number. ``plain``: JSON. ``prompt_ids``, ``ids``: int32. ``arrays``: float32."""

    place: int
    plain: str
    prompt_ids: bytes
    ids: bytes
    arrays: bytes


@dataclass(frozen=True, slots=True)
class ColumnRecord:
    """One rule's scores for all candidates of a run, by the rule's label. ``scores``: JSON."""

    label: str
    scores: str


@dataclass(frozen=True, slots=True)
class QuestionRecord:
    """One round. ``asked``: seconds since 1970. ``about``, ``result``: JSON. ``state``: answers come in while it is "open".

    ``seconds``: of its timer, 0 for none. ``closes``: when that ends, since 1970; None while none runs.
    """

    id: str
    room: str
    series: str
    round: int
    asked: float
    state: str
    about: str
    result: str | None = None
    seconds: int = 0
    closes: float | None = None


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """The last answer of a visitor. ``given``: JSON. ``first``, ``at``: when the first and this one came, since 1970."""

    question: str
    visitor: str
    first: float
    at: float
    given: str


@dataclass(frozen=True, slots=True)
class TuningRecord:
    """A kept tuning of ``visitor``. ``created``, ``written`` (last): seconds since 1970. ``plan``, ``origin``: JSON.

    ``problem``: why it is not being written, one sentence or "". ``owner``: the process that writes it, ``writer``: the word
    under which it does. ``seconds``: what its texts took so far. ``texts``: how many are stored; counted when read.
    """

    id: str
    visitor: str
    created: float
    name: str
    plan: str
    origin: str
    status: str
    problem: str
    owner: str
    writer: str
    written: float
    seconds: float
    texts: int = 0


@dataclass(frozen=True, slots=True)
class JudgeRecord:
    """Who judges a tuning. ``judge``: a visitor. ``key``: the nickname as it is compared with others; unique in a tuning.

    ``joined``: seconds since 1970.
    """

    judge: str
    nickname: str
    key: str
    joined: float


@dataclass(frozen=True, slots=True)
class TuningVoteRecord:
    """A vote on the texts of two arms, ``first`` and ``second``. ``left``: "first" or "second". ``at``: seconds since 1970."""

    judge: str
    example: int
    sample: int
    first: str
    second: str
    left: str
    verdict: str
    at: float


@dataclass(frozen=True, slots=True)
class ModelVoteRecord:
    """What a model made of the same two texts, read with the first as number 1 and as number 2: log-odds of the first."""

    model: str
    example: int
    sample: int
    first: str
    second: str
    as_one: float
    as_two: float


@dataclass(frozen=True, slots=True)
class PresetRecord:
    """Settings of ``visitor`` under a ``name``. ``settings``: JSON. ``why``: a text or "". ``created``: seconds since 1970."""

    visitor: str
    name: str
    created: float
    settings: str
    why: str


@dataclass(frozen=True, slots=True)
class SearchRecord:
    """A search of ``visitor``, begun with ``model`` in ``revision``. ``plan``, ``progress``: JSON. ``created``: seconds since
    1970.
    """

    id: str
    visitor: str
    created: float
    model: str
    revision: str
    plan: str
    progress: str


@dataclass(frozen=True, slots=True)
class BallotRecord:
    """Answers of ``visitor`` that are voted on. ``answers``: JSON, "" in a list. ``votes``: how many; counted when listed."""

    id: str
    visitor: str
    created: float
    name: str
    answers: str
    votes: int = 0


@dataclass(frozen=True, slots=True)
class BallotVoteRecord:
    """A vote on the answers at places ``first`` and ``second``. ``left``, ``winner``: which of them. ``tag``: the voter's group.

    ``seconds``: what it took. ``at``: seconds since 1970.
    """

    voter: str
    first: int
    second: int
    left: str
    winner: str
    tag: str
    seconds: float
    at: float


@dataclass(frozen=True, slots=True)
class BallotScoreRecord:
    """A score of the answer at one place. ``seconds``: what it took. ``at``: seconds since 1970."""

    voter: str
    answer: int
    score: int
    seconds: float
    at: float


@dataclass(frozen=True, slots=True)
class RewardHeadRecord:
    """A reward head of ``visitor``, fitted to votes. ``model``: whose hidden states it reads. ``head``: JSON."""

    id: str
    visitor: str
    created: float
    name: str
    model: str
    head: str


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """A training of ``visitor``. ``rows``: JSON lines of what is taught. ``settings``, ``origin``: JSON. ``status``, ``problem``,
    ``owner``, ``writer``, ``written``, ``seconds`` as of a tuning. ``done`` of ``steps`` (0: not known yet). ``result``: the name
    of the folder with what was learnt, "" before there is one.
    """

    id: str
    visitor: str
    created: float
    name: str
    rows: str
    settings: str
    origin: str
    status: str
    problem: str
    owner: str
    writer: str
    written: float
    seconds: float
    done: int
    steps: int
    result: str
