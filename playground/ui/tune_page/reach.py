"""Section "What settings allow": which settings could have written the references, before anything is generated.

The model reads each prompt with its reference once; every picture here is made from those rows, without asking it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from playground.charts.tune_reach import (
    SettingReach,
    reach_table,
    reach_tokens,
    stopped_words,
    token_table,
)
from playground.engine.serving.worker import Worker
from playground.sampling.settings import SamplerSettings
from playground.tuning.reach_axes import map_base
from playground.ui.components.token_strip import token_strip
from playground.ui.kit import session
from playground.ui.kit.fragments import fragment
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import problems_shown_here, why_it_matters
from playground.ui.kit.pictures import show_table
from playground.ui.kit.session import bind_widget
from playground.ui.tune_page.reach_map import MAP, show_map
from playground.ui.tune_page.reach_rows import HeldRows, held_rows
from playground.ui.tune_page.session import draft, draft_settings
from playground.ui.tune_page.setting_rows import setting_rows
from playground.ui.tune_page.steps import EXAMPLES, PLAN, go_to, not_yet

TOKENS = "tune:tokens"  # a part of the page, redrawn alone


@dataclass(frozen=True, slots=True)
class Looked:
    """What the tab looks at closer: a setting by name, an example from 0, a token of its reference; -1 for none."""

    setting: str = ""
    example: int = -1
    token: int = -1


def reach_section(worker: Worker) -> None:
    """What each setting of the draft makes of the references."""
    plan_draft = draft()
    if not plan_draft.examples:
        not_yet(
            "Which settings could have written your references at all, and which word they would have been stopped at. It "
            "needs examples, best with a reference: an answer that you would be content with.",
            EXAMPLES,
        )
        return
    settings = draft_settings()
    chosen = settings[_chosen(settings)]
    held = held_rows(
        worker, plan_draft.examples, chat=plan_draft.chat, settings=[*settings.values(), map_base(chosen)[0]]
    )
    for number, problem in held.reach.problems.items():
        st.warning(escape_markdown(f"Example {number + 1} is left out: {problem}"), icon=":material/rule:")
    if not held.maps():
        return
    show_table(reach_table([_setting_reach(worker, held, *each) for each in settings.items()]), key="tune_reach")
    if held.reach.along is None:
        st.info(
            "No example has a reference, so this says only what settings leave of an answer's first token. With references "
            "it says whether each setting could have written them.",
            icon=":material/footprint:",
        )
        st.button("Add references", key="tune_add_references", on_click=go_to, args=(EXAMPLES,))
    with st.expander(
        "The plan's settings", icon=":material/tune:", on_change="rerun", key="tune_reach_settings"
    ) as box:
        if box.open:
            setting_rows()
    _choices(held, settings)
    if held.reach.along is not None:
        fragment(TOKENS, lambda: _shielded(lambda: _tokens(worker, held, settings)))
    fragment(MAP, lambda: _shielded(lambda: show_map(held, chosen)))
    why_it_matters(
        "A setting that forbids a word of an answer you like can never give that answer; one that allows every word may still "
        "seldom choose them. That is what the other tabs find out.",
        "Effective choices",
    )
    st.button("Plan a comparison", key="tune_reach_plan", icon=":material/arrow_forward:", on_click=go_to, args=(PLAN,))


def _shielded(draw: Callable[[], None]) -> None:
    with problems_shown_here():
        draw()


def _setting_reach(worker: Worker, held: HeldRows, name: str, settings: SamplerSettings) -> SettingReach:
    along, openings = (held.cells.get((kind, settings)) for kind in ("along", "openings"))
    stopped = ""
    if along is not None and held.reach.along is not None:
        prompts = [each.prompt_ids for each in held.reach.along.references]
        stopped = stopped_words(along, held.reach.numbers, worker.engine.codec, prompts)
    return SettingReach(name, along, openings, stopped)


# -- what is looked at closer ------------------------------------------------------------------------------------------


def _chosen(settings: Mapping[str, SamplerSettings]) -> str:
    name = session.get(Looked).setting
    return name if name in settings else next(iter(settings))


def _example(held: HeldRows) -> int:
    number = session.get(Looked).example
    return number if number in held.reach.numbers else held.reach.numbers[0]


def _choices(held: HeldRows, settings: Mapping[str, SamplerSettings]) -> None:
    """Which setting, and which reference, is looked at closer."""
    name = _chosen(settings)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Setting",
            list(settings),
            list(settings).index(name),
            key="tune_look_setting",
            on_change=bind_widget("tune_look_setting", name, lambda new: session.change(Looked, setting=new)),
            width=220,
        )
        if held.reach.numbers:
            numbers, number = list(held.reach.numbers), _example(held)
            examples = draft().examples
            st.selectbox(
                "Reference",
                numbers,
                numbers.index(number),
                format_func=lambda place: f"{place + 1}. {examples[place].reference[:60]}",
                key="tune_look_example",
                on_change=bind_widget(
                    "tune_look_example", number, lambda new: session.change(Looked, example=new, token=-1)
                ),
            )


def _tokens(worker: Worker, held: HeldRows, settings: Mapping[str, SamplerSettings]) -> None:
    """The reference's tokens under the setting, and one of them under all settings."""
    along, name, number = held.reach.along, _chosen(settings), _example(held)
    assert along is not None
    place = held.reach.numbers.index(number)
    reference = along.references[place]
    cells = {each: held.cells.get(("along", setting)) for each, setting in settings.items()}
    shown = cells[name]
    if shown is None:
        return  # the part is older than the page: a setting was changed since
    tokens = reach_tokens(shown.references[place], reference.prompt_ids, worker.engine.codec)
    token = session.get(Looked).token

    def pick(index: int) -> None:
        session.change(Looked, token=index)

    token_strip(
        tokens,
        key="tune_reach_strip",
        label=f"Reference {number + 1} under {name}, one button for each token",
        on_pick=pick,
        selected=token if token < len(tokens) else -1,
    )
    gone = sum("forbidden" in each.kind for each in tokens)
    st.caption(
        f"Brighter: likelier under the setting. Outlined and struck through: forbidden ({gone} of {len(tokens)}). Choose a "
        "token to see it under every setting."
    )
    if 0 <= token < len(tokens):
        show_table(
            token_table(
                tokens[token].text, {each: cell.references[place] for each, cell in cells.items() if cell}, token
            ),
            key="tune_reach_token",
        )
