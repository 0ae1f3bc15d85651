"""What the Generate page remembers for one session: the work of each section, and what a button asked for.

It outlives page changes. Each model has works of its own, since ids mean nothing to another one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

from playground.charts.generation_strip import GrowingTokens
from playground.engine.api import Score
from playground.engine.facets import offers
from playground.engine.serving.ticket import Ticket
from playground.engine.serving.worker import Worker
from playground.engine.types import SequenceScore, TokenIds
from playground.errors import PlaygroundError
from playground.generation.document import Prompt, Run
from playground.generation.running import RunningGeneration, ask_score
from playground.generation.tree import Branch, History, Tree
from playground.state.generate import GenerateState
from playground.state.setup import Setup
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES, redraw
from playground.ui.runtime import session_id
from playground.ui.workspace.reading import SCORED_TOKENS

WRITE, COMPARE = "Write", "Compare"
SECTION_KEY = "generate_section"  # where the frame keeps the title of the open tab
ALTERNATIVES = 12


def options() -> GenerateState:
    """The page's own state."""
    return session.get(GenerateState)


@dataclass(frozen=True, slots=True)
class PendingAction:
    """What a button asked for; done by the next run of the pictures, where the model is at hand."""

    what: str = ""  # "write", "compare", "branch", "continue"; "" for nothing
    branch: int = 0
    place: int = 0
    token: int = 0


@dataclass(eq=False)
class GenerateSession:
    """One section's work with one model. ``run.tree`` is stale: the tree is ``history.present``.

    ``begun`` counts what was asked for. ``leader``: whose work is shown here while a room's leader is followed, and
    ``leaders_begun`` how many that one had begun: with her next one this ends, and what was seen of it stays.
    """

    run: Run | None = None
    history: History = field(default_factory=History)
    selected: int | None = None  # place in the path in view
    closed: bool = False  # no token is to be open, though the text has ended
    stream: RunningGeneration | None = None
    scoring: Ticket[SequenceScore] | None = None
    last: RunningGeneration | None = None  # the ended stream, for its speed
    problem: str | None = None
    note: str | None = None
    setup: Setup | None = None  # what the run was made with
    letters: tuple[str, ...] = ()  # compare: the setting of each branch
    group: object = None  # compare: the run of texts that this one belongs to, those of models beside too
    seed_view: int = 0
    begun: int = 0
    leader: GenerateSession | None = None
    leaders_begun: int = 0
    growing: defaultdict[str, GrowingTokens] = field(default_factory=lambda: defaultdict(GrowingTokens))  # by strip

    @property
    def tree(self) -> Tree:
        return self.history.present

    @property
    def busy(self) -> bool:
        leader = self.leader
        if leader is not None:
            taken_over = self.run is leader.run and self.tree is leader.tree and self.stream is leader.stream
            return leader.busy or not taken_over
        return self.stream is not None or self.scoring is not None

    @property
    def ticket(self) -> Ticket[Any] | None:
        """The request that is under way: of a text, then of the prompt's scores."""
        return self.scoring if self.stream is None else self.stream.ticket

    @property
    def open_place(self) -> int | None:
        """The token whose alternatives are open: the chosen one, else of a text that has ended the least expected one."""
        if self.selected is not None or self.closed or self.stream is not None or not self.tree.branches:
            return self.selected
        path = self.tree.path(self.tree.current)
        rated = [(step.raw_logprob, place) for place, step in enumerate(path) if step.raw_logprob is not None]
        return min(rated)[1] if rated else None

    def close_token(self) -> None:
        """From a callback: no token is open until another is chosen, or another text has ended."""
        self.selected, self.closed = None, True

    def whole_run(self) -> Run | None:
        """The run with its present tree, for taking away."""
        return None if self.run is None else replace(self.run, tree=self.tree)

    def context(self, branch: int, place: int) -> TokenIds:
        """Prompt and tokens before ``place`` of the branch's path. Raises CapabilityMissing as ``ids_of``."""
        prompt = self.run.prompt.ids if self.run is not None else ()
        return prompt + self.tree.path_ids(branch, place)

    # -- looking in ------------------------------------------------------------------------------------------------

    def drain(self) -> None:
        """Take over what the worker has done since the last look; never waits."""
        if self.leader is not None:
            self._look_at(self.leader)
            return
        if self.stream is not None:
            self.history = self.history.amend(self.stream.drain(self.tree))
            if self.stream.done:
                self.problem = self.stream.problem or self.problem
                self._ask_score(self.stream)
                self.last, self.stream = self.stream, None
        if self.scoring is not None and self.scoring.done:
            self._take_score()

    def follow(self, leader: GenerateSession) -> None:
        """Show the leader's present text here as it grows, and what she has chosen of it."""
        self.stop()
        self.problem = self.note = None
        self.leader, self.leaders_begun, self.scoring = leader, leader.begun, None
        self.letters, self.seed_view, self.selected = leader.letters, leader.seed_view, leader.selected
        self._look_at(leader)

    def _look_at(self, leader: GenerateSession) -> None:
        stream, last = leader.stream, leader.last  # before the tree: all that came before an end is in it
        run, tree, setup = leader.run, leader.tree, leader.setup
        if leader.begun != self.leaders_begun:
            self.leader = self.stream = None
            return
        self.run, self.history, self.setup = run, History(tree), setup
        self.stream, self.last = stream, last

    def _ask_score(self, ended: RunningGeneration) -> None:
        run, worker, ended.worker = self.run, ended.worker, None  # an ended text holds no model
        prompt = None if run is None else run.prompt
        if (
            worker
            and offers(worker.engine, Score)
            and prompt
            and not prompt.logprobs
            and 1 < len(prompt.ids) <= SCORED_TOKENS
        ):
            self.scoring = ask_score(worker, session_id(), prompt.ids)

    def _take_score(self) -> None:
        ticket, self.scoring = self.scoring, None
        assert ticket is not None
        try:
            score = ticket.result()
        except PlaygroundError:
            return  # stopped or replaced: the strip says that it was not computed
        if self.run is not None and score.ids == self.run.prompt.ids:
            self.run = replace(self.run, prompt=_scored(self.run.prompt, score))

    def stop(self) -> None:
        if self.leader is not None:  # hers goes on
            self.leader = self.stream = None
        elif self.stream is not None:
            self.history = self.history.amend(self.stream.drain(self.tree))
            if not self.stream.done:
                self.stream.stop()


def _scored(prompt: Prompt, score: SequenceScore) -> Prompt:
    def defined(value: float) -> float | None:
        return float(value) if math.isfinite(value) else None

    return replace(
        prompt,
        logprobs=tuple(defined(float(value)) for value in score.logprobs),
        ranks=tuple(map(score.rank_at, range(len(score.ids)))),
        entropies=tuple(defined(float(value)) for value in score.entropies),
    )


def shown_branches(work: GenerateSession) -> list[tuple[str, Branch]]:
    """Compare: one text a setting, that of the seed in view."""
    seeds = len(work.tree.branches) // max(1, len(set(work.letters)))
    rows = list(zip(work.letters, work.tree.branches, strict=False))
    return rows[work.seed_view :: seeds] if seeds else []


class _Sessions(dict[tuple[str, str], GenerateSession]):
    """This browser tab's works, by section ("write" or "compare") and the model's id."""


def opened(section: str, worker: Worker) -> GenerateSession:
    """This browser tab's work of a section ("write" or "compare") with this model."""
    return session.get(_Sessions).setdefault((section, worker.engine.info.id), GenerateSession())


def all_opened() -> list[GenerateSession]:
    """The works of this browser tab."""
    return list(session.get(_Sessions).values())


def ask(what: str, branch: int = 0, place: int = 0, token: int = 0) -> None:
    """From a callback: do this at the next run of the pictures."""
    session.put(PendingAction(what, branch, place, token))
    redraw(PICTURES)
