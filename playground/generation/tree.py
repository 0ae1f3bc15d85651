"""Texts that share beginnings, as a tree of branches. Pure data: knows no model, no text and no page.

A branch owns the tokens after its fork; what is before them belongs to its parents. Every change gives a new tree, so
that undo is a list of trees.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from playground.engine.types import TokenIds
from playground.errors import BadInput
from playground.generation.types import TokenStep, ids_of
from playground.sampling.settings import NEUTRAL, SamplerSettings

Ended = Literal["length", "stop", "eos", "stop_id", "stopped", "picked"]
REASONS: dict[str, str] = {
    "length": "the maximum number of tokens was reached",
    "stop": "a stop string came",
    "eos": "end-of-sequence token",
    "stop_id": "a stop token came",
    "stopped": "stopped before it was finished",
    "picked": "the token was chosen by hand",
}
"""Why a text ended, for people."""

MOST_BRANCHES = 64
LONGEST_NAME = 60  # characters
MOST_UNDO = 200


@dataclass(frozen=True, slots=True)
class Branch:
    """One way on. ``steps`` are its own tokens, ``fork`` the number of its parent's generated tokens before them.

    ``picked``: the first of its own tokens was chosen by hand, so its u did not draw it. ``ended`` is how it ended
    ("stopped": by the reader); ``stopped_by`` and ``hidden_text`` are as in ``RowResult``.
    """

    id: int
    parent: int | None
    fork: int
    steps: tuple[TokenStep, ...]
    settings: SamplerSettings = NEUTRAL
    seed: int = 0
    random_stream: int = 0
    picked: bool = False
    name: str = ""
    ended: Ended = "stopped"
    stopped_by: str | None = None
    hidden_text: str = ""


@dataclass(frozen=True, slots=True)
class Tree:
    """Branches by id (a parent's id is smaller than its children's), the one in view, and the folded ones."""

    branches: tuple[Branch, ...] = ()
    current: int = 0
    folded: frozenset[int] = frozenset()

    def __getitem__(self, branch: int) -> Branch:
        """Raises BadInput for an id that is not here."""
        if not 0 <= branch < len(self.branches):
            raise BadInput(
                f"There is no branch {branch}: choose one of the {len(self.branches)} in the tree.", "branch"
            )
        return self.branches[branch]

    # -- reading ----------------------------------------------------------------------------------------------------

    def path(self, branch: int) -> tuple[TokenStep, ...]:
        """All generated tokens from the prompt to the end of the branch."""
        own = self[branch]
        return own.steps if own.parent is None else self.path(own.parent)[: own.fork] + own.steps

    def path_ids(self, branch: int, place: int | None = None) -> TokenIds:
        """Ids of the path's first ``place`` tokens, of all without it. Raises CapabilityMissing as ``ids_of``."""
        return ids_of(self.path(branch)[:place])

    def path_keys(self, branch: int) -> tuple[int | str, ...]:
        """What tells its tokens from those of other branches."""
        return tuple(step.key for step in self.path(branch))

    def raw_logprob(self, branch: int) -> float | None:
        """ln of the probability the model itself gives the whole path, after the prompt: the sum over its tokens.

        None where the engine did not tell one of them."""
        return _sum(step.raw_logprob for step in self.path(branch))

    def final_logprob(self, branch: int) -> float | None:
        """The same after the samplers; minus infinity once a removed token was picked by hand."""
        return _sum(_log(step.prob) for step in self.path(branch))

    def children(self, branch: int) -> tuple[Branch, ...]:
        return tuple(other for other in self.branches if other.parent == branch)

    def in_order(self) -> Iterator[tuple[int, Branch]]:
        """(depth, branch) of what is to be shown: parents before children, nothing inside a folded branch."""

        def below(branch: Branch, depth: int) -> Iterator[tuple[int, Branch]]:
            yield depth, branch
            if branch.id not in self.folded:
                for child in self.children(branch.id):
                    yield from below(child, depth + 1)

        for branch in self.branches:
            if branch.parent is None:
                yield from below(branch, 0)

    def holder_of(self, ids: TokenIds, settings: SamplerSettings) -> int | None:
        """The first branch under ``settings`` whose path begins with ``ids``: nothing need be generated twice."""
        for branch in self.branches:
            if branch.settings == settings and tuple(step.id for step in self.path(branch.id)[: len(ids)]) == ids:
                return branch.id
        return None

    def hand_picked(self, branch: int) -> frozenset[int]:
        """Places in the path whose token was chosen by hand."""
        own = self[branch]
        before: frozenset[int] = frozenset()
        if own.parent is not None:
            before = frozenset(place for place in self.hand_picked(own.parent) if place < own.fork)
        return before | {own.fork} if own.picked else before

    # -- changing: each gives a new tree ----------------------------------------------------------------------------

    def add(self, branch: Branch) -> Tree:
        """With ``branch`` under the next free id, in view, its parents unfolded. Raises BadInput if it fits nowhere."""
        if len(self.branches) >= MOST_BRANCHES:
            raise BadInput(f"A tree has at most {MOST_BRANCHES} branches: generate anew to start another.", "branch")
        if branch.parent is None and branch.fork:
            raise BadInput("A branch without a parent begins at the prompt: its fork is 0.", "fork")
        if branch.parent is not None and not 0 <= branch.fork <= len(self.path(branch.parent)):
            raise BadInput("A branch forks inside its parent's text.", "fork")
        placed = replace(branch, id=len(self.branches), name=branch.name[:LONGEST_NAME])
        open_ids = set(self._ancestors(branch.parent))
        return Tree((*self.branches, placed), placed.id, self.folded - open_ids)

    def _ancestors(self, branch: int | None) -> Iterator[int]:
        while branch is not None:
            yield branch
            branch = self[branch].parent

    def put(self, branch: Branch) -> Tree:
        """With the branch of this id replaced: while it is being generated, its steps grow."""
        self[branch.id]
        return replace(self, branches=tuple(branch if b.id == branch.id else b for b in self.branches))

    def select(self, branch: int) -> Tree:
        return replace(self, current=self[branch].id)

    def rename(self, branch: int, name: str) -> Tree:
        """An empty name is none. Raises BadInput for one that is too long."""
        if len(name) > LONGEST_NAME:
            raise BadInput(f"name: at most {LONGEST_NAME} characters; shorten it.", "name")
        return self.put(replace(self[branch], name=" ".join(name.split())))

    def fold(self, branch: int) -> Tree:
        """Fold or unfold what is below. A branch in view that would vanish gives way to the folded one."""
        self[branch]
        folded = self.folded ^ {branch}
        hidden = branch in folded and branch in set(self._ancestors(self.current))
        return Tree(self.branches, branch if hidden else self.current, folded)


def _log(probability: float | None) -> float | None:
    return None if probability is None else math.log(probability) if probability > 0 else -math.inf


def _sum(values: Iterable[float | None]) -> float | None:
    """None where one is."""
    all_values = list(values)
    numbers = [value for value in all_values if value is not None]
    return math.fsum(numbers) if len(numbers) == len(all_values) else None


@dataclass(frozen=True, slots=True)
class History:
    """A tree, and what it was before: undo and redo."""

    present: Tree = Tree()
    past: tuple[Tree, ...] = ()
    future: tuple[Tree, ...] = ()

    def do(self, new: Tree) -> History:
        """``new`` in the place of the present one; what was undone before is gone."""
        return self if new == self.present else History(new, (*self.past, self.present)[-MOST_UNDO:])

    def amend(self, new: Tree) -> History:
        """``new`` in the place of the present one as part of the same act: tokens that arrive are no act of their own."""
        return replace(self, present=new)

    def undo(self) -> History:
        return History(self.past[-1], self.past[:-1], (self.present, *self.future)) if self.past else self

    def redo(self) -> History:
        return History(self.future[0], (*self.past, self.present), self.future[1:]) if self.future else self
