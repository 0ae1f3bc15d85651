"""The tree of texts: paths, probabilities, and that undo gives back exactly what was there."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.generation.tree import LONGEST_NAME, MOST_BRANCHES, Branch, History, Tree
from playground.generation.types import TokenStep
from playground.sampling.settings import NEUTRAL


def step(token: int, prob: float = 0.5, raw: float = -1.0) -> TokenStep:
    return TokenStep(0, 0, token, raw, prob, 0, 1.0, 10, 0.5, 0.0, 1.0)


def branch(*tokens: int, parent: int | None = None, fork: int = 0, **fields: Any) -> Branch:
    return Branch(0, parent, fork, tuple(step(token) for token in tokens), **fields)


def family() -> Tree:
    """1 2 3 4, from it 1 2 | 9 8, from that 1 2 9 | 7, and a text of its own."""
    tree = Tree().add(branch(1, 2, 3, 4)).add(branch(9, 8, parent=0, fork=2, picked=True))
    return tree.add(branch(7, parent=1, fork=3, picked=True)).add(branch(5, 6))


def test_a_path_is_what_the_parents_share_and_what_is_its_own() -> None:
    tree = family()
    assert [tree.path_ids(item.id) for item in tree.branches] == [(1, 2, 3, 4), (1, 2, 9, 8), (1, 2, 9, 7), (5, 6)]
    assert tree.current == 3
    assert [tree.hand_picked(item) for item in range(4)] == [set(), {2}, {2, 3}, set()]


def test_a_branch_above_its_parents_fork_belongs_to_the_grandparent() -> None:
    tree = family().add(branch(6, parent=2, fork=1, picked=True))
    assert tree.path_ids(4) == (1, 6)
    assert tree.hand_picked(4) == {1}, "what was picked after the fork is not on this path"


def test_path_probabilities_multiply() -> None:
    tree = Tree().add(Branch(0, None, 0, (step(1, 0.5, -0.7), step(2, 0.25, -1.5))))
    tree = tree.add(Branch(0, 0, 1, (step(3, 0.1, -2.0),), picked=True))
    assert tree.raw_logprob(0) == pytest.approx(-2.2)
    assert tree.final_logprob(0) == pytest.approx(math.log(0.5 * 0.25))
    assert tree.raw_logprob(1) == pytest.approx(-2.7)
    assert tree.final_logprob(1) == pytest.approx(math.log(0.05))
    removed = tree.put(replace(tree[1], steps=(step(3, 0.0, -9.0),)))
    assert removed.final_logprob(1) == -math.inf and math.isfinite(removed.raw_logprob(1) or math.nan)
    assert Tree().add(branch()).raw_logprob(0) == 0.0, "the empty path is certain"


def test_children_stand_below_their_parents_and_folding_hides_them() -> None:
    tree = family()
    assert [(depth, item.id) for depth, item in tree.in_order()] == [(0, 0), (1, 1), (2, 2), (0, 3)]
    folded = tree.fold(1)
    assert [item.id for _depth, item in folded.in_order()] == [0, 1, 3]
    assert folded.current == 3
    assert tree.select(2).fold(0).current == 0, "what is in view cannot be folded away"
    assert tree.select(1).fold(1).current == 1
    assert folded.fold(1) == tree
    assert folded.add(branch(4, parent=2, fork=1)).folded == frozenset(), "a new branch is never hidden"


def test_a_way_on_that_is_known_is_found() -> None:
    tree = family()
    assert tree.holder_of((1, 2, 9), NEUTRAL) == 1
    assert tree.holder_of((1, 2, 3, 4), NEUTRAL) == 0
    assert tree.holder_of((1, 2, 5), NEUTRAL) is None
    assert tree.holder_of((1, 2, 9), NEUTRAL.replace(top_k=3)) is None


@pytest.mark.parametrize(
    "act",
    [
        lambda tree: tree.select(4),
        lambda tree: tree[-1],
        lambda tree: tree.fold(9),
        lambda tree: tree.rename(0, "x" * (LONGEST_NAME + 1)),
        lambda tree: tree.add(branch(1, parent=0, fork=5)),
        lambda tree: tree.add(branch(1, parent=7, fork=0)),
        lambda tree: tree.add(branch(1, fork=1)),
        lambda tree: tree.put(Branch(4, None, 0, ())),
    ],
)
def test_what_fits_nowhere_is_refused_in_one_sentence(act: Callable[[Tree], object]) -> None:
    with pytest.raises(BadInput, match=r"^[^.]+[.]$"):
        act(family())


def test_a_tree_does_not_grow_without_end() -> None:
    tree = Tree()
    for _ in range(MOST_BRANCHES):
        tree = tree.add(branch(1))
    with pytest.raises(BadInput, match="64"):
        tree.add(branch(1))


def test_a_name_is_one_line() -> None:
    assert family().rename(1, "  warm\n and  long ")[1].name == "warm and long"


ACTS = st.lists(
    st.sampled_from(["select 0", "select 1", "fold 0", "fold 1", "rename 0", "rename 2", "add", "undo", "redo"]),
    max_size=25,
)


@given(ACTS)
def test_undo_and_redo_walk_over_exactly_the_trees_there_were(acts: list[str]) -> None:
    """Against a plain list with a cursor."""
    history, states, cursor = History(family()), [family()], 0
    for number, act in enumerate(acts):
        if act == "undo":
            history, cursor = history.undo(), max(0, cursor - 1)
        elif act == "redo":
            history, cursor = history.redo(), min(len(states) - 1, cursor + 1)
        else:
            verb, *rest = act.split()
            tree = history.present
            new = {
                "select": lambda: tree.select(int(rest[0])),  # noqa: B023
                "fold": lambda: tree.fold(int(rest[0])),  # noqa: B023
                "rename": lambda: tree.rename(int(rest[0]), f"name {number}"),  # noqa: B023
                "add": lambda: tree.add(branch(number)),  # noqa: B023
            }[verb]()
            history = history.do(new)
            if new != states[cursor]:
                states, cursor = [*states[: cursor + 1], new], cursor + 1
        assert history.present == states[cursor]
        assert len(history.past) == cursor and len(history.future) == len(states) - 1 - cursor


def test_tokens_that_arrive_are_no_step_of_their_own() -> None:
    history = History().do(Tree().add(branch()))
    for token in range(5):
        own = history.present[0]
        history = history.amend(history.present.put(replace(own, steps=(*own.steps, step(token)))))
    assert history.present.path_ids(0) == tuple(range(5))
    assert history.undo().present == Tree()
    assert history.undo().redo().present.path_ids(0) == tuple(range(5))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6), st.lists(st.integers(0, 9), max_size=4)), max_size=8))
def test_every_path_is_its_parents_beginning_and_its_own_tokens(plan: list[tuple[int, int, list[int]]]) -> None:
    tree = Tree().add(branch(1, 2, 3))
    paths: list[tuple[int, ...]] = [(1, 2, 3)]
    for parent, fork, tokens in plan:
        parent %= len(paths)
        fork = min(fork, len(paths[parent]))
        tree = tree.add(branch(*tokens, parent=parent, fork=fork))
        paths.append((*paths[parent][:fork], *tokens))
    assert [tree.path_ids(number) for number in range(len(paths))] == paths
    assert sorted(item.id for _depth, item in tree.in_order()) == list(range(len(paths)))
    for one, other in itertools.combinations(range(len(paths)), 2):
        if paths[one] == paths[other]:
            assert tree.raw_logprob(one) == tree.raw_logprob(other)
