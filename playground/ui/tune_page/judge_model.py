"""The loaded model as one more judge, beside the people: how far it agrees with them, and never a vote."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass

import streamlit as st

from playground.charts.judge_tables import share_text
from playground.engine.api import CancelToken, Engine, NextTokens
from playground.engine.facets import require
from playground.engine.serving.worker import Worker
from playground.errors import Cancelled
from playground.tuning.jury import agreement_sentence, standing_of
from playground.tuning.model_judge import ModelStanding, model_standing, read_units, units_to_read
from playground.tuning.panel import ModelOpinion, Panel
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES, rerun_callback
from playground.ui.kit.jobs import result_of
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.runtime import session_id

AT_ONCE = 12  # pairs read at one press


@dataclass(frozen=True, slots=True)
class ModelWanted:
    """Whether the model is asked, and for the how manieth time."""

    tuning: str = ""
    number: int = 0


def model_part(panel: Panel, worker: Worker) -> None:
    """Ask it, and what it is worth."""
    require(worker.engine, NextTokens)
    name = worker.engine.info.name
    if session.get(ModelWanted).tuning == panel.tuning:
        _read(panel, worker)
    judgements = panel.judgements()
    opinions = panel.opinions()
    own = [each for each in opinions if each.model == name]
    left = len(units_to_read(panel.material(), judgements, own, 10_000))
    st.button(
        f"Ask {escape_markdown(name)} about {min(AT_ONCE, left):,} pairs",
        key="judge_ask_model",
        type="secondary" if own else "primary",
        disabled=not left,
        on_click=rerun_callback(lambda: _want(panel.tuning), PICTURES),
        help="Those that people judged first. Each pair is read twice, with either answer as number 1.",
    )
    for model in dict.fromkeys(each.model for each in opinions):
        _show(model_standing([each for each in opinions if each.model == model], judgements))
    if opinions:
        standing = standing_of(panel.material(), judgements)
        st.markdown(escape_markdown(f"For comparison: {agreement_sentence(standing.agreement)}"))
    why_it_matters(
        "The model is asked which answer is better, 1 or 2, in both orders: what stays is its preference. "
        "It is counted nowhere among the votes: a judge that is cheap is not one that is right, and it may prefer its own kind."
    )


def _want(tuning: str) -> None:
    session.put(ModelWanted(tuning, session.get(ModelWanted).number + 1))


def _read(panel: Panel, worker: Worker) -> None:
    """Raises Pending while the model reads."""
    material = panel.material()
    wanted = session.get(ModelWanted)
    name = worker.engine.info.name

    def job(engine: Engine, cancel: CancelToken) -> Generator[float, None, int]:
        own = [each for each in panel.opinions() if each.model == name]
        units = units_to_read(material, panel.judgements(), own, AT_ONCE)
        read = read_units(engine, material, units, cancel)
        given = 0
        for place, opinion in enumerate(read, 1):
            if isinstance(opinion, ModelOpinion):
                panel.put_opinions([opinion])
                given += 1
            yield place / len(units)
        return given

    key = panel.tuning, wanted.number, worker.engine.info.revision
    with suppress(Cancelled):  # stopped: what it has read stays
        result_of(
            "judge_model",
            key,
            lambda: worker.submit(session_id(), "judge_model", job),
            f"{name} reads pairs",
            share=float,
        )
    session.put(ModelWanted("", wanted.number))


def _show(standing: ModelStanding) -> None:
    said = (
        "people have decided nothing that it has read"
        if not standing.with_people.total
        else share_text(standing.with_people)
    )
    st.markdown(f"**{escape_markdown(standing.model)}** · {standing.opinions:,} pairs read")
    st.markdown(
        escape_markdown(
            f"Agrees with the people's majority: {said}. Says the same in both orders: {share_text(standing.steady)}. "
            f"Prefers number 1, whichever stands there: {share_text(standing.says_one)}."
        )
    )
    if standing.steady.share is not None and standing.steady.share < 0.5:
        st.warning(
            "It mostly follows the number and not the text: what it prefers says little.", icon=":material/swap_horiz:"
        )
    shares = [f"{first} over {second} in {share_text(share)}" for (first, second), share in standing.shares.items()]
    if shares:
        st.markdown(escape_markdown(f"By its word alone: {'; '.join(shares)}."))
