"""Section "What fits": small models trained on synthetic tasks, ready or live, and the code that trains them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import numpy as np
import streamlit as st

from playground.architectures.ready import COMMAND, ready_results
from playground.architectures.results import Verdict, mean_of_shares, verdict
from playground.architectures.spoken import joined_errors, parameters
from playground.architectures.tasks import LEARNERS, TASKS, Task
from playground.architectures.types import TRIED, Learnt
from playground.charts.arch_grid import ArchGrid, grid_description, grid_figure
from playground.charts.arch_lines import (
    ArchCurve,
    ArchLines,
    LossCurve,
    lines_description,
    lines_figure,
    training_description,
    training_figure,
)
from playground.engine.serving.worker import Worker
from playground.state.architectures import ArchitecturesState
from playground.ui.architectures_page.learn_job import (
    Trainings,
    label_of,
    start_trainings,
    wanted_models,
)
from playground.ui.architectures_page.parts import doing_said, run_buttons
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES
from playground.ui.kit.job_view import watch
from playground.ui.kit.messages import problems_shown_here, show_problem, why_it_matters
from playground.ui.kit.pictures import show_figure
from playground.ui.kit.places import controls_and_pictures
from playground.ui.kit.widgets import Bound


def learn_section(worker: Worker) -> None:
    """What is trained on the left, what came of it on the right."""
    own, task = session.get(Trainings), TASKS[session.get(ArchitecturesState).task]
    own.drain()  # before the buttons are drawn: work that has ended has none to stop it
    left, right = controls_and_pictures()
    with left:
        _controls(worker, own, task)
    with right:
        watch(own, lambda: _results(own, task), key="arch_learning", changes=lambda: (own.busy, len(own.learnt)))
    _code(task)
    if task.two_parts:
        with st.expander("The same in a model that others trained: letters to sounds", key="arch_spoken"):
            if st.session_state.get("arch_spoken"):
                with problems_shown_here():
                    _spoken()


def _controls(worker: Worker, own: Trainings, task: Task) -> None:
    bound, chosen = Bound(ArchitecturesState), session.get(ArchitecturesState)
    bound.choose("task")
    st.caption(task.asks)
    models = list(wanted_models(chosen))
    st.multiselect(
        "Models",
        task.models,
        models,
        format_func=lambda name: LEARNERS[name].label,
        key=f"arch_models_{task.name}",
        on_change=session.bind_widget(f"arch_models_{task.name}", models, _choose),
    )
    bound.slider("seeds")
    with st.expander("Size of the training", key="arch_sizes"):
        bound.number("size")
        bound.number("width")
        bound.number("steps")
        bound.number("rate", format="%.4f")
    run_buttons(
        own,
        lambda: start_trainings(worker),
        label="Train",
        icon=":material/play_arrow:",
        key="arch_train",
        help="On this server's processor, half a minute or less a model; others keep their turns.",
    )


def _choose(names: list[str]) -> Sequence[str]:
    session.change(ArchitecturesState, models=tuple(names))
    return (PICTURES,)


def _results(own: Trainings, task: Task) -> None:
    if own.problem:
        show_problem(own.problem)
    _progress(own, task)
    trained = own.of(task.name)
    learnt = trained or ready_results().of(task.name)
    if not learnt:
        st.info(
            f"Nothing is trained on this task yet: press Train, or run `{COMMAND}`.", icon=":material/model_training:"
        )
        return
    if trained:
        st.caption("Trained here, in this session.")
    else:
        ready = ready_results()
        st.caption(
            f"Ready results, computed on {ready.date} ({ready.machine}) by `{COMMAND}`: press Train to see your own come."
        )
    data = _accuracies(task, learnt)
    show_figure(lines_figure(data), lines_description(data), key="arch_accuracy")
    st.caption(
        f"Share of right answers on {TRIED} new texts of each {'length' if task.axis == 'length' else 'number of pairs'}; "
        "bars: 95% interval over seeds (Student's t). Right of the dashed line nothing was trained on."
    )
    _said(task, learnt)
    _alignment(learnt)


def _progress(own: Trainings, task: Task) -> None:
    if own.busy:
        running = [each for each in own.requests if each in own.curves and each not in own.learnt]
        done = sum(each in own.learnt for each in own.requests)
        now = running[0] if running else None
        step = own.curves[now][-1] if now else None
        doing = ""
        if now is not None and step is not None:
            doing = (
                f"{label_of(now)}, seed {now.seed}: step {step.step:,} of at most {now.steps:,}, loss {step.loss:.2f}, "
                f"accuracy {step.accuracy:.0%}"
            )
        share = (done + (step.step / now.steps if now and step else 0)) / max(len(own.requests), 1)
        st.progress(min(share, 1.0), text=f"{done} of {len(own.requests)} trained · {doing_said(own, doing)}")
    elif own.stopped:
        st.caption(":material/stop_circle: Stopped: what was trained to its end stays.")
    curves = [
        LossCurve(label_of(request), tuple(step.step for step in steps), tuple(step.accuracy for step in steps))
        for request, steps in own.curves.items()
        if request.task == task.name and request in own.requests
    ]
    if curves:
        most = max(request.steps for request in own.requests)
        show_figure(training_figure(curves, most), training_description(curves), key="arch_training")


def _accuracies(task: Task, learnt: Sequence[Learnt]) -> ArchLines:
    curves = []
    for model in dict.fromkeys(each.request.model for each in learnt):
        own = [dict(each.accuracies) for each in learnt if each.request.model == model]
        sizes = sorted(set.intersection(*(set(each) for each in own)))
        means = [mean_of_shares([each[size] for each in own]) for size in sizes]
        curves.append(
            ArchCurve(
                LEARNERS[model].label,
                tuple(map(float, sizes)),
                tuple(mean.value for mean in means),
                tuple(mean.low for mean in means),
                tuple(mean.high for mean in means),
            )
        )
    edge = float(max(each.request.size for each in learnt))
    across = "length of the text" if task.axis == "length" else "pairs of key and value"
    return ArchLines(tuple(curves), across, "accuracy", log=False, edge=edge)


_SHOWN = {
    Verdict.AGREES: ":material/check: Here it shows so",
    Verdict.UNSURE: ":material/question_mark: At this size and with so few seeds it does not show for sure",
    Verdict.DIFFERS: ":material/close: At this size it does not show",
}


def _said(task: Task, learnt: Sequence[Learnt]) -> None:
    outcome, words = verdict(task.name, learnt)
    st.markdown(f"**Published:** {task.expects}\n\n{_SHOWN[outcome]}: {words}")
    widths = sorted({each.request.width for each in learnt})
    sizes = {LEARNERS[each.request.model].label: each.parameters for each in learnt}
    why_it_matters(
        f"Width {', '.join(map(str, widths))}; parameters: {', '.join(f'{name} {count:,}' for name, count in sizes.items())}. "
        "A model that fails here may be too small, too little trained, or unable: only a curve that stays down as steps and "
        "width grow speaks of the architecture."
    )


def _alignment(learnt: Sequence[Learnt]) -> None:
    aligned = next((each for each in learnt if each.alignment), None)
    if aligned is None:
        return
    names = tuple(chr(ord("a") + symbol - 1) for symbol in aligned.symbols)
    grid = ArchGrid(
        "Bahdanau's alignment",
        np.array(aligned.alignment, dtype=np.float32),
        names,
        tuple(f"{number}" for number in range(1, len(aligned.alignment) + 1)),
        "written",
    )
    st.markdown("**Where the decoder looks as it writes each symbol**, of one text; each line sums to 1")
    show_figure(grid_figure(grid), grid_description(grid), key="arch_alignment")


def _code(task: Task) -> None:
    with st.expander("The code that is trained, and the loop that trains it", key="arch_code"):
        if not st.session_state.get("arch_code"):
            return
        from playground.architectures import learning, seq2seq
        from playground.architectures.layers import LAYERS

        chosen = session.get(ArchitecturesState)
        sources = {"the training": inspect.getsource(learning.learn), "the task": inspect.getsource(task.make)}
        if task.two_parts:
            sources["the model"] = inspect.getsource(seq2seq.Seq2Seq)
        else:
            for name in dict.fromkeys(kind for model in wanted_models(chosen) for kind in LEARNERS[model].layers):
                layer = LAYERS[name]
                assert isinstance(layer, type)
                sources[f"{layer.__name__}"] = inspect.getsource(layer)
        shown = st.selectbox("Part", list(sources), key="arch_source")
        st.code(sources[shown if shown in sources else next(iter(sources))], language="python")


def _spoken() -> None:
    """g2p-en: one vector for one word, and for six."""
    errors = joined_errors()
    st.caption(
        f"g2p-en 2.1.0 (Apache-2.0): a GRU encoder and decoder without attention, {parameters():,} parameters, trained on single "
        "words. Words are joined without a space; what it says of each word alone counts as right."
    )
    curve = ArchCurve(
        "g2p-en",
        tuple(float(each.words) for each in errors),
        tuple(each.error.value for each in errors),
        tuple(each.error.low for each in errors),
        tuple(each.error.high for each in errors),
    )
    data = ArchLines((curve,), "words joined", "share of phonemes wrong", log=False)
    show_figure(lines_figure(data), lines_description(data), key="arch_spoken_errors")
    last = errors[2]
    st.markdown(f"**{last.example}**\n\nword by word: `{last.alone}`\n\njoined: `{last.joined}`")
    why_it_matters(
        "It was never trained on joined words, so the curve is of the bottleneck and of the unknown together; that the beginning "
        "is right and the end is lost is what one vector looks like."
    )
