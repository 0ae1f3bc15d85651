"""Section "Plan": settings, samples, what it will take, and the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import streamlit as st

from playground.engine.serving.worker import Worker
from playground.errors import BadInput, PlaygroundError
from playground.lined_yaml import MOST_BYTES
from playground.testtime.registry import SCORERS
from playground.tuning.examples import Example
from playground.tuning.measures import MEASURES, find_measure
from playground.tuning.plan import MOST_NEW_TOKENS, Plan
from playground.tuning.plan_file import plan_json, plan_yaml, read_plan_text
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem, why_it_matters
from playground.ui.kit.session import bind_widget
from playground.ui.tune_page.kept_tunings import kept_tunings
from playground.ui.tune_page.run_panel import run_panel
from playground.ui.tune_page.session import adopt_plan, change_draft, draft, draft_plan
from playground.ui.tune_page.setting_rows import setting_rows
from playground.ui.tune_page.steps import EXAMPLES, not_yet
from playground.ui.workspace.shared import file_uploader
from playground.uploads import decode

_WITHOUT_MODEL = [kind.name for kind in SCORERS.values() if kind.gives_verdict and not kind.needs_engine]
OFFERED = (*MEASURES, *(name for name in _WITHOUT_MODEL if SCORERS[name].argument is None))


def plan_section(worker: Worker) -> None:
    """What will be run, what it takes, and the run."""
    if not draft().examples:
        not_yet(
            "Two to twelve settings write answers to your examples. How many texts, tokens and minutes that takes"
            " stands here before anything runs. It begins with examples.",
            EXAMPLES,
        )
        kept_tunings()
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown("##### Settings")
        setting_rows()
        _numbers()
        _measures()
        _bars()
    plan, problem = _checked()
    with right:
        if plan is None:
            show_problem(problem)
        run_panel(worker, plan)
        _files(plan)
        kept_tunings()
    why_it_matters(
        "Every setting answers the same prompts with the same random numbers, so that they differ by what they are and not by "
        "chance; a second run of the present setting with other numbers, the control, shows how large chance is."
    )


def _checked() -> tuple[Plan | None, str]:
    try:
        return draft_plan(), ""
    except PlaygroundError as error:
        return None, str(error)


def _numbers() -> None:
    shown = draft()
    with st.container(horizontal=True):
        for field, label, low, high, about in (
            ("samples", "Samples a prompt", 1, 64, "Texts of each setting for each prompt. More prompts tell more."),
            ("max_new_tokens", "Tokens at most", 1, MOST_NEW_TOKENS, "A text that gets so long is cut off."),
            ("seed", "Seed", 0, 2**32 - 1, "The same seed writes the same texts."),
        ):
            value, key = int(getattr(shown, field)), f"tune_{field}"
            st.number_input(
                label,
                min_value=low,
                max_value=high,
                value=value,
                step=1,
                key=key,
                help=about,
                width=150,
                on_change=bind_widget(key, value, _writer(field)),
            )
        st.markdown(
            f":gray-badge[{'chat' if shown.chat else 'raw text'}]",
            help="How prompts are read is set under Examples.",
            width="content",
        )


def _writer(field: str) -> Callable[[object], None]:
    def write(value: object) -> None:
        change_draft(**{field: value})

    return write


def _measures() -> None:
    chosen = list(draft().measures)
    st.multiselect(
        "Measured by",
        list(dict.fromkeys([*chosen, *OFFERED])),
        default=chosen,
        accept_new_options=True,
        key="tune_measures",
        help="The first one decides; the others stand beside it. A check is typed with what it takes, as `length:10-80w`; the "
        "money an answer costs as `cost:0.15/0.6` (USD a million tokens read and written).",
        on_change=bind_widget("tune_measures", chosen, _write_measures),
    )
    with st.expander("What they measure, and what they do not see", on_change="rerun", key="tune_measured") as box:
        if box.open:
            lines = ["| measure | | better | blind spot |", "|---|---|---|---|"]
            for name in dict.fromkeys([*chosen, *MEASURES]):
                own = find_measure(name)
                side = {1: "more", -1: "less", 0: "neither"}[own.better]
                cells = map(escape_markdown, (own.name, own.definition, own.blind_spot))
                name_said, definition, blind = cells
                lines.append(f"| **{name_said}** | {definition} | {side} | {blind} |")
            st.markdown("\n".join(lines))


def _write_measures(names: list[str]) -> None:
    if not names:
        raise BadInput("Something has to decide: choose at least one measure.", "measures")
    for name in names:
        find_measure(name)
    kept = {name: bar for name, bar in draft().require.items() if name in names}
    change_draft(measures=tuple(names), require=MappingProxyType(kept))


def _bars() -> None:
    with st.expander("Bars that the choice must reach", on_change="rerun", key="tune_bars") as box:
        if not box.open:
            return
        st.caption("A setting is not good enough because it is better than another: say what the mean has to be.")
        with st.container(horizontal=True):
            for name in draft().measures:
                own = find_measure(name)
                if not own.better:
                    continue
                key, value = f"tune_bar_{name}", draft().require.get(name)
                st.number_input(
                    f"{escape_markdown(name)}, {'at least' if own.better > 0 else 'at most'}",
                    value=value,
                    step=0.05,
                    key=key,
                    width=190,
                    placeholder="no bar",
                    on_change=bind_widget(key, value, _bar_writer(name)),
                )


def _bar_writer(name: str) -> Callable[[float | None], None]:
    def write(value: float | None) -> None:
        others: Mapping[str, float] = {other: bar for other, bar in draft().require.items() if other != name}
        change_draft(require=MappingProxyType({**others, **({} if value is None else {name: value})}))

    return write


# -- the plan as a file --------------------------------------------------------------------------------------------------


def _files(plan: Plan | None) -> None:
    with st.expander("The plan as a file", icon=":material/description:", on_change="rerun", key="tune_files") as box:
        if not box.open:
            return
        with st.container(horizontal=True):
            if plan is not None:
                text = plan_yaml(plan)
                if len(text.encode()) <= MOST_BYTES:
                    file_button("YAML", "plan.yaml", lambda: text, "For `tune run --plan`, and to be edited.")
                file_button("JSON", "plan.json", lambda: plan_json(plan), "The same, for programs.")
        given = file_uploader("A plan (YAML or JSON)", type=["yaml", "yml", "json"], key="tune_plan_upload")
        if given is None:
            return
        try:
            uploaded_plan = read_plan_text(decode(given.getvalue())[0], _no_file)
        except PlaygroundError as error:
            show_problem(error)
            return
        st.caption(
            f"{len(uploaded_plan.examples)} examples, {len(uploaded_plan.settings)} settings, {uploaded_plan.samples} samples: "
            f"{uploaded_plan.texts:,} texts with the control."
        )
        st.button("Use this plan", key="tune_plan_use", type="primary", on_click=_use, args=(uploaded_plan,))


def _use(plan: Plan) -> None:
    from playground.ui.kit.fragments import redraw

    session.clear_problems()
    adopt_plan(plan)
    redraw()


def _no_file(name: str) -> tuple[Example, ...]:
    raise BadInput(
        "This plan's examples are in a file of their own: write them into the plan, or upload that file under Examples.",
        "examples",
    )
