"""Section "Examples": the prompts that a decision is made on, with references, checks and tags where there are any."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator

import streamlit as st

from playground.charts.tune_examples import standing_table
from playground.engine.api import CancelToken, Engine
from playground.engine.serving.turns import Priority
from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.testtime.registry import SCORERS
from playground.tuning.examples import Example
from playground.tuning.standing import Standing, standing_of
from playground.ui.kit import session
from playground.ui.kit.jobs import result_of
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import problems_shown_here, why_it_matters
from playground.ui.kit.pictures import show_table
from playground.ui.kit.session import bind_widget
from playground.ui.runtime import session_id
from playground.ui.tune_page.bring_in import bring_in
from playground.ui.tune_page.example_table import show_example_table
from playground.ui.tune_page.session import change_draft, draft
from playground.ui.tune_page.steps import PLAN, REACH, go_to
from playground.ui.visitor import visitor_id
from playground.ui.workspace.shared import visitor_limits

_REMEMBERED = 1_000  # examples
_Key = tuple[str, bool, Example]


class _Standings(OrderedDict[_Key, Standing]):
    """How the examples of this session stood, the last ones looked at last."""


def examples_section(worker: Worker) -> None:
    """What is decided on: brought in, edited, and how it stands with this model."""
    plan_draft = draft()
    _summary(plan_draft.examples)
    bring_in()
    show_example_table()
    _how_they_are_read()
    if plan_draft.examples:
        with problems_shown_here():
            _show_standings(worker, plan_draft.examples)
    _checks_explained()
    _next_steps(plan_draft.examples)
    why_it_matters(
        "A decision holds for prompts like these and no others. Take them from real use, the awkward ones too; a dozen show "
        "large differences only, a hundred show small ones."
    )


def _summary(examples: tuple[Example, ...]) -> None:
    count = len(examples)
    references, checked = sum(bool(each.reference) for each in examples), sum(bool(each.checks) for each in examples)
    said = "no example yet" if not count else f"{count} {'example' if count == 1 else 'examples'}"
    twice = count - len({(each.system, each.prompt) for each in examples})
    st.markdown(
        f"**{said.capitalize()}** · {references} with a reference · {checked} with checks"
        + (f" · :orange-badge[{twice} stand twice, and count twice]" if twice else "")
    )
    if count == 1:
        st.caption("One example shows what settings do, and decides nothing: differences are judged over prompts.")
    if not count:
        st.info(
            "Write the first prompt into the table, paste some, or begin with ready ones. A **reference** is an answer you "
            "would be content with; a **check** is a rule an answer must pass. Both are optional, and each lets more be said.",
            icon=":material/footprint:",
        )


def _how_they_are_read() -> None:
    shown = draft()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.toggle(
            "Chat",
            shown.chat,
            key="tune_chat",
            on_change=bind_widget("tune_chat", shown.chat, lambda on: change_draft(chat=bool(on))),
            help="Each prompt is one user message in the model's own chat template. Off: raw text that the model continues.",
        )
        st.text_input(
            "What the answers are for",
            shown.purpose,
            key="tune_purpose",
            max_chars=200,
            on_change=bind_widget("tune_purpose", shown.purpose, lambda text: change_draft(purpose=text or "")),
            placeholder="for example: first replies of a small shop's support",
            help="One line for the report; it changes nothing else.",
        )


# -- how they stand ----------------------------------------------------------------------------------------------------


def _show_standings(worker: Worker, examples: tuple[Example, ...]) -> None:
    """Tokens with this model, and the references under their own checks. Raises Pending."""
    standings = _standings(worker, examples)
    problems = [_problem(worker, standing) for standing in standings]
    show_table(standing_table(examples, standings, problems), key="tune_standing")
    wrong = [
        number
        for number, standing in enumerate(standings, 1)
        if any(outcome.passed is False for outcome in standing.checks)
    ]
    if wrong:
        st.warning(
            f"{'The reference of example' if len(wrong) == 1 else 'The references of examples'} "
            f"{', '.join(map(str, wrong[:10]))}{' …' if len(wrong) > 10 else ''} would fail their own checks: mend the "
            "reference or the check, or nothing can pass.",
            icon=":material/rule:",
        )
    st.caption("References are checked as answers are: in a process of its own, with a limit on its time and memory.")


def _problem(worker: Worker, standing: Standing) -> str:
    """Why an example cannot be run as the draft stands; "" where it can."""
    if standing.problem or standing.prompt_tokens is None:
        return standing.problem
    try:
        visitor_limits().check_prompt(standing.prompt_tokens)
    except PlaygroundError as error:
        return str(error)
    room = worker.engine.info.context_length - standing.prompt_tokens
    if room < draft().max_new_tokens:
        return f"Only {max(room, 0):,} tokens are left for an answer of {draft().max_new_tokens:,}: shorten the prompt."
    return ""


def _standings(worker: Worker, examples: tuple[Example, ...]) -> list[Standing]:
    cache, revision, chat = session.get(_Standings), worker.engine.info.revision, draft().chat
    missing = [each for each in dict.fromkeys(examples) if (revision, chat, each) not in cache]
    if missing:
        visitor = visitor_id()

        def job(engine: Engine, cancel: CancelToken) -> Generator[float, None, list[Standing]]:
            standings = []
            for number, example in enumerate(missing, 1):
                standings.append(standing_of(engine, example, chat=chat, visitor=visitor, cancel=cancel))
                yield number / len(missing)
            return standings

        new = result_of(
            "tune standing",
            (revision, chat, tuple(missing)),
            lambda: worker.submit(session_id(), "tune standing", job, Priority.LOOK),
            "Tokens are counted and references checked",
            share=float,
        )
        cache |= {(revision, chat, example): standing for example, standing in zip(missing, new, strict=True)}
    shown = [cache[revision, chat, example] for example in examples]
    while len(cache) > _REMEMBERED:
        cache.popitem(last=False)
    return shown


# -- the checks --------------------------------------------------------------------------------------------------------


def _checks_explained() -> None:
    with st.expander(
        "The checks, and how they are written", icon=":material/rule:", on_change="rerun", key="tune_checks"
    ) as box:
        if not box.open:
            return
        st.markdown(
            "A check says of each answer whether it passes. It is written as its name, and behind a colon what it takes; in "
            "a file several are parted by `;` or stand in a JSON list."
        )
        lines = ["| check | passes where | blind spot |", "|---|---|---|"]
        for kind in SCORERS.values():
            if kind.gives_verdict and not kind.needs_engine and not kind.needs_reference:
                takes, purpose, fails = map(
                    escape_markdown, (f":{kind.argument}" if kind.argument else "", kind.purpose, kind.fails)
                )
                lines.append(f"| **{kind.name}**{takes} | {purpose} | {fails} |")
        st.markdown("\n".join(lines))
        st.caption("For example `length:10-80w`, `regex:(?i)order number`, `forbidden:guarantee, I promise`, `json`.")


def _next_steps(examples: tuple[Example, ...]) -> None:
    if not examples:
        return
    with st.container(horizontal=True):
        if any(each.reference for each in examples):
            st.button(
                "See what settings allow",
                key="tune_next_reach",
                icon=":material/arrow_forward:",
                on_click=go_to,
                args=(REACH,),
            )
        st.button(
            "Plan a comparison", key="tune_next_plan", icon=":material/arrow_forward:", on_click=go_to, args=(PLAN,)
        )
