"""Tab "Train": the settings, what the training will take, its losses as they come, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from playground.charts.teach_curves import best_step, loss_chart, loss_description
from playground.engine.serving.worker import Worker
from playground.training.runs import KeptTraining
from playground.training.teachable import why_not_taught
from playground.ui.components.light_chart import light_chart
from playground.ui.examples_page.forecast import forecast, show_forecast
from playground.ui.examples_page.kept_trainings import kept_trainings, state_word
from playground.ui.examples_page.session import draft
from playground.ui.examples_page.steps import DEMONSTRATIONS, MOVED, go_to, not_yet
from playground.ui.examples_page.train_settings import settings_controls
from playground.ui.examples_page.training_view import (
    LOOK_S,
    TrainingView,
    end,
    is_under_way,
    resume,
    start,
    training_view,
)
from playground.ui.kit.fragments import PICTURES, redraw_next, rerun_callback
from playground.ui.kit.job_view import tried, watch
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import problems_shown_here, show_problem, why_it_matters
from playground.ui.kit.pace import queue_words
from playground.ui.tune_page.run_panel import duration


def train_section(worker: Worker) -> None:
    """The draft as it would be trained, and the training in view."""
    rows = draft().rows
    if not rows and training_view().kept is None:
        not_yet(
            "The losses of a training as it goes, on the pairs that are taught and on those held out. It needs demonstrations: "
            "ten that agree in style already show.",
            DEMONSTRATIONS,
        )
        kept_trainings()
        return
    with st.container(key="phone_last_draft"):
        settings_controls()
        if rows:
            with problems_shown_here():
                _drafted(worker)
    own = training_view()
    watch(own, lambda: _in_view(worker), key="teach_run", changes=lambda: own.busy)
    if is_under_way(own):
        _look_on()
    kept_trainings()
    why_it_matters(
        "The held-out curve is the one to watch: while it falls the model learns what the examples have in common; once it "
        "rises while the other falls, it learns them by heart. The adapter of its lowest point is the one that is kept.",
        "Held-out",
        "Epoch",
        "Adapter",
    )


# -- what is drafted ---------------------------------------------------------------------------------------------------


def _drafted(worker: Worker) -> None:
    """What it will take, and the button. Raises Pending while rows are encoded."""
    costs, own, why = forecast(worker), training_view(), why_not_taught(worker.engine.info)
    show_forecast(worker, costs)
    st.button(
        "Train",
        key="teach_start",
        type="primary",
        icon=":material/play_arrow:",
        disabled=own.busy or bool(why),
        help=escape_markdown(why)
        or ("Pause what is being trained first." if own.busy else "Others go on sampling meanwhile."),
        on_click=_tried(lambda: start(worker, draft().rows, draft().settings, _name(), costs.seconds or 0.0)),
    )
    if why:
        st.caption(f":material/block: {escape_markdown(why)}")


def _name() -> str:
    return draft().name or f"{len(draft().rows)} demonstrations, {draft().settings.epochs} epochs"


# -- what is in view ---------------------------------------------------------------------------------------------------


def _look_on() -> None:
    """How far another tab is with the training in view, by a timer."""
    drawn = training_view().kept

    def look() -> None:
        nonlocal drawn
        own = training_view()
        if own.kept is None:
            return
        st.caption(
            ":material/save: Its last checkpoint is being written."
            if own.ending
            else f":material/visibility: Another tab trains this one, {own.kept.summary.done:,} steps so far. This one looks on."
        )
        if not is_under_way(own) or own.kept.summary.done != (drawn.summary.done if drawn else 0):
            drawn = own.kept
            redraw_next()

    st.fragment(look, key="teach_look_on", run_every=LOOK_S)()


def _in_view(worker: Worker) -> None:
    own = training_view()
    if own.problem:
        show_problem(own.problem)
    if own.kept is not None:
        _progress(own, own.kept)
        for note in own.notes:
            st.caption(f":material/info: {escape_markdown(note)}")
        chart = loss_chart(own.steps)
        if chart is not None:
            light_chart(chart, key="teach_loss", alt=loss_description(own.steps))
        _buttons(worker, own, own.kept)


def _progress(own: TrainingView, kept: KeptTraining) -> None:
    last = own.steps[-1] if own.steps else None
    state = "being trained" if own.busy else state_word(kept.summary)
    st.markdown(f"**{escape_markdown(kept.summary.name)}** · {escape_markdown(kept.origin.name)} · {state}")
    done, steps = (last.step, last.steps) if last is not None else (0, kept.summary.steps)
    ahead = queue_words(own.ticket) if own.busy and own.ticket is not None else ""
    rate, left = "", ""
    if last is not None and last.seconds > 0:
        recent = [step for step in own.steps[-5:] if step.seconds > 0]
        seconds = sum(step.seconds for step in recent)
        rate = f", epoch {last.epoch:.1f}, {sum(step.tokens for step in recent) / seconds:,.0f} tokens/s"
        if own.busy and done < steps:
            left = f", about {duration(seconds / len(recent) * (steps - done))} left"
    if own.busy and last is None:
        st.progress(0.0, text=f"The model is loaded once more, to be taught{ahead}")
        return
    st.progress(done / max(1, steps), text=f"Step {done:,} of {steps:,}{rate}{left}{ahead}")
    best = best_step(own.steps)
    if best is not None and not own.busy:
        st.caption(
            f"Kept is the adapter of step {best.step:,}, where the held-out loss was lowest: {best.heldout:.3f} nats a token."
        )
    if kept.summary.problem and not own.busy:
        st.warning(escape_markdown(kept.summary.problem), icon=":material/pause_circle:")


def _buttons(worker: Worker, own: TrainingView, kept: KeptTraining) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="teach_run_buttons"):
        if own.busy:
            st.button("Pause", key="teach_pause", icon=":material/pause:", on_click=_tried(lambda: end("paused")))
            st.button(
                "End here",
                key="teach_stop",
                icon=":material/stop:",
                shortcut="escape",
                on_click=_tried(lambda: end("stopped")),
                help="Frees the machine; the best adapter so far is kept.",
            )
        elif kept.summary.status == "paused":
            seconds = seconds_left(own)
            st.button(
                "Go on",
                key="teach_resume",
                type="primary",
                icon=":material/play_arrow:",
                on_click=_tried(lambda: resume(worker, seconds)),
                help="From the last checkpoint, with the same rows in the same order.",
            )
        if kept.folder is not None and not own.busy:
            st.button(
                "See what moved",
                key="teach_see",
                icon=":material/arrow_forward:",
                type="secondary" if kept.summary.status == "paused" else "primary",
                on_click=go_to,
                args=(MOVED,),
            )


def seconds_left(own: TrainingView) -> float:
    """Seconds for the steps that are left, as fast as those that are done."""
    done = [step.seconds for step in own.steps if step.seconds > 0]
    if not done or not own.steps:
        return 0.0
    return sum(done) / len(done) * (own.steps[-1].steps - own.steps[-1].step)


def _tried(act: Callable[[], None]) -> Callable[..., None]:
    """A callback; what is refused is said above the curve."""
    return rerun_callback(tried(training_view, act), PICTURES)
