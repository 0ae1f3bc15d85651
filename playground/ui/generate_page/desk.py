"""What the Generate page remembers for one session: a desk a section, and what it can be asked to do.

A desk outlives page changes. Each model has desks of its own, since ids mean nothing to another one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field, replace

import streamlit as st

from playground.engine.serving.ticket import Ticket
from playground.engine.serving.worker import Worker
from playground.engine.types import SequenceScore, TokenIds
from playground.errors import PlaygroundError
from playground.generation.document import Prompt, Run
from playground.generation.tree import History, Tree
from playground.state.setup import Setup
from playground.ui.generate_page.options import Options
from playground.ui.generate_page.stream import Stream, ask_score
from playground.ui.generate_page.strip import GrowingTokens
from playground.ui.workspace.reading import SCORED_TOKENS

WRITE, COMPARE = "Write", "Compare"
ALTERNATIVES = 12
_OPTIONS = "generate_options"


def options() -> Options:
    found = st.session_state.get(_OPTIONS)
    return found if isinstance(found, Options) else Options()


def put_options(new: Options) -> None:
    st.session_state[_OPTIONS] = new


@dataclass(frozen=True, slots=True)
class Todo:
    """What a button asked for; done by the next run of the pictures, where the model is at hand."""

    what: str  # "write", "compare", "branch", "continue"
    branch: int = 0
    place: int = 0
    token: int = 0


@dataclass(eq=False)
class Desk:
    """One section's work. ``run.tree`` is stale: the tree is ``history.present``."""

    run: Run | None = None
    history: History = field(default_factory=History)
    selected: int | None = None  # place in the path in view
    stream: Stream | None = None
    scoring: Ticket[SequenceScore] | None = None
    last: Stream | None = None  # the ended stream, for its speed
    todo: Todo | None = None
    problem: str | None = None
    note: str | None = None
    setup: Setup | None = None  # what the run was made with
    letters: tuple[str, ...] = ()  # compare: the setting of each branch
    seed_view: int = 0
    growing: defaultdict[str, GrowingTokens] = field(default_factory=lambda: defaultdict(GrowingTokens))  # by strip

    @property
    def tree(self) -> Tree:
        return self.history.present

    @property
    def busy(self) -> bool:
        return self.stream is not None or self.scoring is not None

    def whole_run(self) -> Run | None:
        """The run with its present tree, for taking away."""
        return None if self.run is None else replace(self.run, tree=self.tree)

    def context(self, branch: int, place: int) -> TokenIds:
        """Prompt and tokens before ``place`` of the branch's path."""
        prompt = self.run.prompt.ids if self.run is not None else ()
        return prompt + self.tree.path_ids(branch)[:place]

    # -- looking in ------------------------------------------------------------------------------------------------

    def drain(self, worker: Worker) -> None:
        """Take over what the worker has done since the last look; never waits."""
        if self.stream is not None:
            self.history = self.history.amend(self.stream.drain(self.tree))
            if self.stream.done:
                self.problem = self.stream.problem or self.problem
                self.last, self.stream = self.stream, None
                self._ask_score(worker)
        if self.scoring is not None and self.scoring.done:
            self._take_score()

    def _ask_score(self, worker: Worker) -> None:
        run = self.run
        if run is not None and not run.prompt.logprobs and 1 < len(run.prompt.ids) <= SCORED_TOKENS:
            self.scoring = ask_score(worker, run.prompt.ids)

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
        if self.stream is not None:
            self.history = self.history.amend(self.stream.drain(self.tree))
            if not self.stream.done:
                self.stream.stop()


def _scored(prompt: Prompt, score: SequenceScore) -> Prompt:
    def defined(value: float) -> float | None:
        return float(value) if math.isfinite(value) else None

    return replace(
        prompt,
        logprobs=tuple(defined(float(value)) for value in score.logprobs),
        ranks=tuple(int(rank) if place else None for place, rank in enumerate(score.ranks)),
        entropies=tuple(defined(float(value)) for value in score.entropies),
    )


def desk(section: str, model: str) -> Desk:
    """This session's desk of a section, for the model of this id."""
    desks: dict[tuple[str, str], Desk] = st.session_state.setdefault("generate_desks", {})
    return desks.setdefault((section, model), Desk())


def desks_here() -> list[Desk]:
    desks: dict[tuple[str, str], Desk] = st.session_state.setdefault("generate_desks", {})
    return list(desks.values())
