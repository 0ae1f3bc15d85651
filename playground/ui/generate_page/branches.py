"""The tree of texts: how likely each is, and folding, renaming, going back, undo and redo."""

from __future__ import annotations

import math
from collections.abc import Callable

import streamlit as st

from playground.charts.numbers import logprob, percent
from playground.engine.serving.worker import Worker
from playground.engine.text.display import glyphs
from playground.errors import PlaygroundError
from playground.generation.document import step_pieces
from playground.generation.tree import LONGEST_NAME, Branch, History, Tree
from playground.ui.generate_page.session import GenerateSession, ask
from playground.ui.kit.fragments import PICTURES, redraw
from playground.ui.kit.messages import escape_markdown, why_it_matters

PREVIEW_TOKENS = 8


def branches_section(work: GenerateSession, worker: Worker) -> None:
    """Buttons for the tree as a whole, then a row for each branch in view."""
    if work.run is None or not work.tree.branches:
        return
    _actions(work)
    with st.container(gap="small", key="branches"):
        for depth, branch in work.tree.in_order():
            _row(work, worker, branch, depth)
    why_it_matters(
        "A path's probability is that of exactly this text after the prompt: the product over its tokens, so longer texts "
        "are always less likely. It says nothing of truth or of quality."
    )


def _changing(work: GenerateSession, change: Callable[[History], History]) -> Callable[[], None]:
    """A callback that changes the tree. What is being written is stopped first, so that it writes into no other tree."""

    def act() -> None:
        work.stop()
        work.stream = None
        try:
            work.history = change(work.history)
            work.selected = None
        except PlaygroundError as error:
            work.problem = str(error)
        redraw(PICTURES)

    return act


def _actions(work: GenerateSession) -> None:
    tree, current = work.tree, work.tree[work.tree.current]

    def choose(branch: int | None) -> Callable[[], None]:
        return _changing(work, lambda history: history.do(history.present.select(branch or 0)))

    def go_on() -> None:
        ask("continue", current.id)

    def rename() -> None:
        name = str(st.session_state.get("w_branch_name") or "")
        _changing(work, lambda history: history.do(history.present.rename(current.id, name)))()

    with st.container(horizontal=True, vertical_alignment="bottom", key="branch_actions"):
        st.button(
            "Continue",
            icon=":material/play_arrow:",
            key="continue",
            on_click=go_on,
            disabled=work.stream is not None or current.ended not in ("length", "stopped", "picked"),
            help="Go on at the end of the text in view, for as many tokens as the maximum says.",
        )
        st.button(
            "Back to parent",
            icon=":material/arrow_upward:",
            key="to_parent",
            on_click=choose(current.parent),
            disabled=current.parent is None,
            help="The text this one branched from",
        )
        st.button(
            "",
            icon=":material/undo:",
            key="undo_tree",
            on_click=_changing(work, History.undo),
            disabled=not work.history.past,
            help="Undo the last change of the tree",
        )
        st.button(
            "",
            icon=":material/redo:",
            key="redo_tree",
            on_click=_changing(work, History.redo),
            disabled=not work.history.future,
            help="Redo it",
        )
        if st.session_state.get("w_branch_name") != current.name:
            st.session_state["w_branch_name"] = current.name
        st.text_input(
            "Name of the text in view",
            current.name,
            key="w_branch_name",
            max_chars=LONGEST_NAME,
            on_change=rename,
            width=150,
            placeholder="Name this text",
            label_visibility="collapsed",
        )
    st.caption(f"{len(tree.branches)} {'text' if len(tree.branches) == 1 else 'texts'} from this prompt")


def _row(work: GenerateSession, worker: Worker, branch: Branch, depth: int) -> None:
    tree = work.tree
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if depth:
            st.markdown("&emsp;" * min(depth, 6), width="content")
        inside = tree.children(branch.id)
        folded = branch.id in tree.folded
        if inside:
            st.button(
                "",
                icon=f":material/chevron_{'right' if folded else 'down'}:".replace("chevron_down", "expand_more"),
                key=f"fold_{branch.id}",
                type="tertiary",
                on_click=_changing(work, lambda history: history.do(history.present.fold(branch.id))),
                help=f"{'Unfold' if folded else 'Fold'} {len(inside)} below",
            )
        st.button(
            escape_markdown(title(work, worker, branch)),
            key=f"branch_{branch.id}",
            type="primary" if branch.id == tree.current else "secondary",
            on_click=_changing(work, lambda history: history.do(history.present.select(branch.id))),
            help=describe(tree, branch),
        )
        st.caption(figures(tree, branch), width="content")


def title(work: GenerateSession, worker: Worker, branch: Branch) -> str:
    """The branch's name, or how it begins."""
    if branch.name:
        return branch.name
    prompt = () if work.run is None else work.run.prompt.ids
    path = work.tree.path(branch.id)[: branch.fork + PREVIEW_TOKENS]
    text = "".join(step_pieces(worker.engine.codec, path, prompt)[branch.fork :])
    more = "…" if len(branch.steps) > PREVIEW_TOKENS else ""
    return (glyphs(text) if text else "(being written)" if work.busy else "(nothing yet)") + more


def figures(tree: Tree, branch: Branch) -> str:
    """Where it begins, how long it is and how likely the whole path is."""
    count = len(tree.path(branch.id))
    start = f"from token {branch.fork + 1}, " if branch.parent is not None else ""
    value = tree.raw_logprob(branch.id)
    likely = "not told" if value is None else f"{path_percent(value)}, log-probability {logprob(value)}"
    return f"{start}{count} tokens, path {likely}"


def path_percent(value: float) -> str:
    """A path's probability; below what a float holds as a power of ten."""
    return percent(math.exp(value)) if value > -600 else f"1e{value / math.log(10) + 2:.0f}%"


def describe(tree: Tree, branch: Branch) -> str:
    final = tree.final_logprob(branch.id)
    if final is None:
        return f"Seed {branch.seed}. Sampled by the engine, which does not tell probabilities after its samplers."
    last = "picked by hand where the samplers had removed it" if math.isinf(final) else f"{logprob(final)}"
    return f"Seed {branch.seed}. Log-probability after the samplers: {last}."
