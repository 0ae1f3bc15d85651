"""One judge's place: the pair in view, what is pressed on it, and how far all have come. The owner's and those by link."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import streamlit as st

from playground.errors import PlaygroundError
from playground.preferences.votes import Vote
from playground.tuning.judging import Question, Unit
from playground.tuning.jury import progress_sentence
from playground.tuning.panel import Panel
from playground.ui.components.judge_pair import Pressed, ShownPair, judge_pair
from playground.ui.kit import session
from playground.ui.kit.messages import escape_markdown, show_problem

AHEAD = 4  # questions that the browser has before it needs them


@dataclass(eq=False)
class _JudgeSession:
    """``asked``: questions by the name under which this tab knows them; a name says nothing. ``refused``: of the last press."""

    asked: dict[str, Question] = field(default_factory=dict)
    names: dict[tuple[str, Unit], str] = field(default_factory=dict)
    refused: str = ""

    def show(self, tuning: str, question: Question) -> ShownPair:
        name = self.names.setdefault((tuning, question.unit), secrets.token_hex(6))
        self.asked[name] = question
        return ShownPair(name, question.prompt, question.system, question.left_text, question.right_text)


def judging_desk(
    panel: Panel,
    judge: str,
    *,
    named: bool,
    before_votes: Callable[[int], None],
    of_room: Callable[[], Sequence[Vote]] = lambda: (),
) -> None:
    """The pair and what is said of the votes. ``named``: with the settings' names, for who made the tuning.

    ``before_votes`` is told how many presses there are and may refuse them. ``of_room``: what a room said of these texts.
    """
    desk = session.get(_JudgeSession)
    if desk.refused:
        show_problem(desk.refused)
        desk.refused = ""
    turn = panel.turn(judge, AHEAD, of_room())

    def pressed(events: Sequence[Pressed]) -> None:
        try:
            before_votes(len(events))
            for event in events:
                question = desk.asked.get(event.id)
                if question is None:
                    continue  # another session's
                if event.what == "undo":
                    panel.undo(judge, question)
                else:
                    panel.vote(judge, question, event.what)
        except PlaygroundError as error:
            desk.refused = str(error)

    own = f" Yours: {turn.own:,}." if turn.own != turn.votes else ""
    st.caption(escape_markdown(progress_sentence(turn.ahead, turn.votes, named=named) + own))
    empty = "Nothing that is open could change which is best."
    if turn.ahead.open:
        empty = "You have judged all pairs that there are of what is still open."
        if not turn.questions and not panel.material().whole:
            empty = "You have judged all pairs that there are so far: the plan's other texts are not written yet."
    pairs = [desk.show(panel.tuning, question) for question in turn.questions]
    judge_pair(pairs, key=f"judge_pair_{panel.tuning[:12]}", empty=empty, on_press=pressed)
