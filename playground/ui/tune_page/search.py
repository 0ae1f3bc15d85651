"""Section "Search": settings looked for within a budget, the winner tried on examples it was not chosen on."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from playground.charts.tune_search import (
    SearchData,
    TrialPoint,
    search_description,
    search_figure,
    trials_table,
)
from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.sampling.registry import PARAMETERS
from playground.sampling.settings import SamplerSettings
from playground.tuning.decision_words import fewest_examples
from playground.tuning.measures import MEASURES
from playground.tuning.preset import PresetStore
from playground.tuning.search import SearchState, search_words
from playground.tuning.search_plan import FEWEST_EXAMPLES, MOST_RANGES, SearchPlan
from playground.tuning.setting_text import OFF, setting_name, settings_text
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES, rerun_callback
from playground.ui.kit.job_view import tried, watch
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem, why_it_matters
from playground.ui.kit.pictures import show_figure, show_table
from playground.ui.kit.session import bind_widget
from playground.ui.tune_page.kept_search_list import kept_list
from playground.ui.tune_page.plan import OFFERED
from playground.ui.tune_page.search_view import SearchDraft, SearchView, go_on, search_plan, search_view, start
from playground.ui.tune_page.session import change_draft, draft, draft_settings
from playground.ui.tune_page.setting_rows import NUMBERS
from playground.ui.tune_page.steps import EXAMPLES, PLAN, go_to, not_yet
from playground.ui.visitor import owner_id
from playground.ui.workspace import setup as workspace


def search_section(worker: Worker) -> None:
    """What is looked for on the left, the search on the right."""
    own = session.get(SearchView)
    if len(draft().examples) < FEWEST_EXAMPLES and own.state is None:
        not_yet(
            "Instead of naming settings, say what is to be best and within which budget: they are looked for, and the winner "
            f"is tried again on examples that it was not chosen on. It needs {FEWEST_EXAMPLES} examples; a dozen or more say "
            "something.",
            EXAMPLES,
        )
        kept_list()
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        _goal()
        _ranges()
        _budget()
        kept_list()
    with right:
        watch(own, lambda: _panel(worker), key="tune_search", changes=lambda: own.busy)
    why_it_matters(
        "What did best among many did so by merit and by luck, so its own figure flatters it. Half of the examples are held "
        "back; the winner is run on them beside the present setting, and that comparison is the one to quote."
    )


# -- what is looked for ------------------------------------------------------------------------------------------------


def _write(field: str, value: object) -> tuple[str, ...]:
    session.put(replace(session.get(SearchDraft), **{field: value}))  # type: ignore[arg-type]  # each field's widget writes its own kind
    return (PICTURES,)


def _goal() -> None:
    wanted = session.get(SearchDraft)
    first = next(iter(draft().measures), "checks")
    goal = wanted.goal or first
    offered = [name for name in OFFERED if name not in MEASURES or MEASURES[name].better]
    options = list(dict.fromkeys([goal, *draft().measures, *offered]))
    st.selectbox(
        "What is to be best",
        options,
        index=options.index(goal),
        key="search_goal",
        accept_new_options=True,
        help="A measure: more of it, or less where less is better.",
        on_change=bind_widget("search_goal", goal, partial(_write, "goal")),
    )
    st.text_area(
        "As long as",
        wanted.bars,
        key="search_bars",
        height=68,
        placeholder="distinct-2 >= 0.8",
        help="Bars that other measures must keep to, one a line.",
        on_change=bind_widget("search_bars", wanted.bars, partial(_write, "bars")),
    )


def _ranges() -> None:
    wanted = session.get(SearchDraft)
    chosen = list(wanted.ranges)
    st.multiselect(
        "Samplers to search over",
        NUMBERS,
        default=chosen,
        max_selections=MOST_RANGES,
        format_func=lambda name: PARAMETERS[name].label,
        key="search_samplers",
        help="All others stay as the present setting has them.",
        on_change=bind_widget("search_samplers", chosen, _choose),
    )
    for name, ends in wanted.ranges.items():
        parameter = PARAMETERS[name]
        number = int if parameter.kind == "int" else float
        low, high = min(parameter.usual[0], ends[0]), max(parameter.usual[-1], ends[1])
        value = (number(ends[0]), number(ends[1]))
        st.slider(
            parameter.label,
            number(low),
            number(high),
            value,
            number(parameter.step),
            key=f"search_range_{name}",
            on_change=bind_widget(f"search_range_{name}", value, partial(_write_range, name)),
        )


def _choose(names: list[str]) -> tuple[str, ...]:
    before = session.get(SearchDraft).ranges
    usual = {name: (PARAMETERS[name].usual[0], PARAMETERS[name].usual[-1]) for name in names}
    return _write("ranges", {name: before.get(name, usual[name]) for name in names})


def _write_range(name: str, ends: tuple[float, float]) -> tuple[str, ...]:
    return _write("ranges", {**session.get(SearchDraft).ranges, name: (ends[0], ends[1])})


def _budget() -> None:
    wanted = session.get(SearchDraft)
    st.number_input(
        "Texts at most",
        min_value=1,
        max_value=20_000,
        value=wanted.texts,
        step=50,
        key="search_texts",
        help="The comparison at the end is among them. Samples and tokens of a text are set under Plan.",
        on_change=bind_widget("search_texts", wanted.texts, lambda new: _write("texts", int(new or 1))),
    )


# -- the search ----------------------------------------------------------------------------------------------------------


def _panel(worker: Worker) -> None:
    own = session.get(SearchView)
    if own.problem:
        show_problem(own.problem)
    try:
        plan: SearchPlan | None = search_plan()
    except PlaygroundError as error:
        plan = None
        show_problem(error)
    if plan is not None and (own.state is None or own.state.plan != plan):
        _announce(plan)
    _buttons(worker, own, plan)
    if own.state is not None:
        _progress(own, own.state)
        if own.state.finished:
            _outcome(own.state)
        _trials(own.state)


def _announce(plan: SearchPlan) -> None:
    searched, held = plan.split
    fewest = fewest_examples(2)
    st.markdown(
        f"**{plan.trials} settings** on {len(searched)} examples, {plan.trial_texts} texts each, the present setting first; "
        f"the best again on the {len(held)} others beside the present one and the control, {plan.check_texts} texts."
    )
    if len(held) < fewest:
        st.caption(
            f":material/info: On {len(held)} examples no difference can be shown, whatever its size: bring {2 * fewest} or "
            "more to be able to say that the winner is better."
        )


def _buttons(worker: Worker, own: SearchView, plan: SearchPlan | None) -> None:
    paused = own.state is not None and not own.busy and not own.state.finished
    with st.container(horizontal=True, vertical_alignment="center"):
        if own.job is not None:
            st.button(
                "Pause",
                key="search_pause",
                icon=":material/pause:",
                on_click=own.job.stop,
                help="Finished trials stay; the one under way is done again.",
            )
        else:
            st.button(
                "Search",
                key="search_start",
                type="primary",
                icon=":material/travel_explore:",
                disabled=plan is None,
                on_click=rerun_callback(tried(search_view, lambda: start(worker)), PICTURES),
            )
        if paused:
            st.button(
                "Go on",
                key="search_on",
                icon=":material/play_arrow:",
                on_click=rerun_callback(tried(search_view, lambda: go_on(worker)), PICTURES),
            )
        if own.state is not None:
            st.button(
                "Close",
                key="search_close",
                icon=":material/close:",
                help="Its trials so far stay among the kept searches.",
                on_click=rerun_callback(own.close, PICTURES),
            )


def _progress(own: SearchView, state: SearchState) -> None:
    plan = state.plan
    budget = plan.trials * plan.trial_texts + plan.check_texts
    doing = "finished" if state.finished else "comparing the best" if len(state.trials) == plan.trials else "searching"
    if own.busy:
        st.progress(min(1.0, own.texts / budget), text=f"{doing}: {own.texts:,} of at most {budget:,} texts")
    else:
        paused = "" if state.finished else ", paused"
        st.caption(f"{own.texts:,} texts by {escape_markdown(own.name)}{paused}")


def _trials(state: SearchState) -> None:
    if not state.trials:
        return
    plan = state.plan
    points = tuple(
        TrialPoint(trial.means[plan.goal.name], trial.met, (settings_text(trial.settings) or OFF))
        for trial in state.trials
    )
    data = SearchData(plan.goal.name, plan.goal.better, points, plan.trials)
    said = search_description(data)
    show_figure(search_figure(data), said, key="search_figure")
    st.caption(escape_markdown(said))
    names = [each.name for each in plan.ranges]
    values = [[getattr(trial.settings, name) for name in names] for trial in state.trials]
    show_table(trials_table(data, names, values), key="search_trials")


def _outcome(state: SearchState) -> None:
    text = search_words(state)
    with st.container(border=True, key="search_outcome"):
        st.markdown(escape_markdown(text))
    best = state.best
    if best is None or best.number == 0:
        return
    name = setting_name(best.settings, draft_settings())
    with st.container(horizontal=True):
        st.button(
            "Add it to the plan",
            key="search_add",
            icon=":material/playlist_add:",
            help="To be compared with others, and judged by people.",
            on_click=_add,
            args=(name, best.settings),
        )
        st.button(
            "Keep as a preset",
            key="search_keep",
            icon=":material/bookmark_add:",
            help="It then stands beside the built-in presets on every page.",
            on_click=rerun_callback(tried(search_view, partial(_persist, name, best.settings, text)), PICTURES),
        )
        st.button(
            "Use it now",
            key="search_use",
            icon=":material/tune:",
            help="Sets the samplers of all pages to it.",
            on_click=rerun_callback(partial(workspace.change, settings=best.settings), PICTURES),
        )


def _add(name: str, settings: SamplerSettings) -> None:
    change_draft(others={**draft().others, name: settings})
    go_to(PLAN)


def _persist(name: str, settings: SamplerSettings, why: str) -> None:
    PresetStore(owner_id()).persist(name, settings, why)
    st.toast(f"Kept as {escape_markdown(name)}: see Presets on any page.", icon=":material/bookmark:")
