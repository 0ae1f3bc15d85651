"""Section "Judge": people choose between two answers without knowing which setting wrote which, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from playground.engine.serving.worker import Worker
from playground.preferences.asking import votes_promised
from playground.room.people import nickname_key, numbered
from playground.tuning.panel import OWNER, Panel
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES
from playground.ui.kit.messages import show_problem, why_it_matters
from playground.ui.kit.session import bind_widget
from playground.ui.tune_page.judge_desk import judging_desk
from playground.ui.tune_page.judge_link import link_part
from playground.ui.tune_page.judge_model import model_part
from playground.ui.tune_page.judge_results import results_part
from playground.ui.tune_page.judge_room import votes_of_the_room
from playground.ui.tune_page.session import opened_tuning
from playground.ui.tune_page.steps import PLAN, not_yet
from playground.ui.tune_page.tuning_view import tuning_view
from playground.ui.visitor import owner_id, visitor_id

_VIEWS = ("Judge", "What the votes say", "Judges by link", "A model as judge")


@dataclass(frozen=True, slots=True)
class JudgeView:
    """What of the section is open."""

    open: str = _VIEWS[0]


def judge_section(worker: Worker) -> None:
    """One pair after the other; results only where they are asked for, since who knows them judges otherwise."""
    own = tuning_view()  # closes a link that leads nowhere
    tuning = opened_tuning()
    if not tuning:
        if own.problem:
            show_problem(own.problem)
        not_yet(
            "Two answers to one prompt, settings hidden: which is better? What people prefer, how much they agree"
            " and how many more votes would settle it. It needs a plan that was run.",
            PLAN,
        )
        return
    panel = Panel(tuning, owner_id())
    view = session.get(JudgeView).open
    st.segmented_control(
        "Judging",
        _VIEWS,
        default=view,
        key="judge_view",
        required=True,
        label_visibility="collapsed",
        on_change=bind_widget("judge_view", view, _open),
    )
    if view == _VIEWS[0]:
        _judge(panel)
    elif view == _VIEWS[1]:
        results_part(panel)
    elif view == _VIEWS[2]:
        link_part(panel)
    else:
        model_part(panel, worker)


def _open(view: object) -> tuple[str, ...]:
    session.put(JudgeView(str(view)))
    return (PICTURES,)


def _judge(panel: Panel) -> None:
    material = panel.material()
    settings = material.settings
    if len(settings) < 2:
        st.info("There is one setting in this plan, and nothing to compare it with: add another under Plan.")
        return
    if not any(material.units.values()):
        not_yet("Nothing to judge yet: the first pair is there when two settings have answered the same prompt.", PLAN)
        return
    judge = visitor_id()

    def judging() -> None:
        judging_desk(
            panel,
            judge,
            named=True,
            before_votes=lambda _presses: _admit_owner(panel, judge),
            of_room=lambda: votes_of_the_room(material),
        )

    st.fragment(judging, key="tune_judging")()
    why_it_matters(
        "Which setting wrote what is hidden, sides are shuffled, and now and then the present setting is compared with its own "
        f"second run. If one of these {len(settings)} settings wins three of four decided votes against each other one, about "
        f"{votes_promised(len(settings)):,} decided votes find it; looking at the results and stopping at any time is allowed. "
        "Keys: 1, 2, 0 for a tie, B for both bad, U takes the last vote back."
    )


def _admit_owner(panel: Panel, judge: str) -> None:
    present = panel.judges()
    if judge not in present:
        name = numbered(OWNER, {each.key for each in present.values()})
        panel.admit(judge, name, nickname_key(name))
