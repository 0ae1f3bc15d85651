"""The settings of the draft, a line each: named and typed, moved by widgets, taken from presets or from a grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import streamlit as st

from playground.errors import BadInput, PlaygroundError
from playground.sampling.presets import PRESETS
from playground.sampling.registry import PARAMETERS
from playground.sampling.settings import SamplerSettings
from playground.tuning.plan import CONTROL, MOST_SETTINGS
from playground.tuning.setting_text import (
    LONGEST_NAME,
    grid,
    read_settings_text,
    read_values,
    setting_name,
    settings_text,
)
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES, rerun_callback
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.session import bind_widget
from playground.ui.tune_page.session import change_draft, draft, draft_settings
from playground.ui.workspace import setup as workspace
from playground.ui.workspace.kept_presets import kept_presets

NUMBERS = tuple(name for name, parameter in PARAMETERS.items() if parameter.kind in ("float", "int"))
_USUAL = {"temperature": "0.4, 0.7, 1", "top_p": "0.8, 0.95"}


def setting_rows() -> None:
    """All of the draft's settings, the present one first, and the ways to more of them."""
    settings = draft_settings()
    for number, (name, own) in enumerate(settings.items()):
        _row(number, name, own)
    if len(settings) == 1:
        st.caption(
            "Add at least one setting to compare with the present one, which is what the samplers of all pages say."
        )
    equal = [name for name, own in list(settings.items())[1:] if own == settings[draft().present_name]]
    if equal:
        st.caption(
            f":material/drag_handle: {escape_markdown(', '.join(equal))}: the same as the present one, so no difference can be "
            "found; a second run of the present one, the control, takes part anyway."
        )
    with st.container(horizontal=True):
        full = len(settings) >= MOST_SETTINGS
        st.button(
            "Add a setting",
            key="tune_add",
            icon=":material/add:",
            on_click=_callback(_add_one),
            disabled=full,
            help=f"At most {MOST_SETTINGS} are compared." if full else "A copy of the present one, to be changed.",
        )
        with st.popover("From presets", icon=":material/tune:", on_change="rerun", key="tune_presets") as box:
            if box.open:
                _preset_buttons(settings)
        with st.popover("A grid", icon=":material/grid_on:", on_change="rerun", key="tune_grid") as box:
            if box.open:
                _grid_form()


def _row(number: int, name: str, own: SamplerSettings) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"tune_setting_{number}"):
        key = f"tune_name_{number}"
        st.text_input(
            "Name",
            name,
            key=key,
            max_chars=LONGEST_NAME,
            label_visibility="collapsed",
            width=170,
            on_change=bind_widget(key, name, lambda text: _rename(number, str(text or ""))),
        )
        key, text = f"tune_text_{number}", settings_text(own)
        st.text_input(
            f"Settings of {name}",
            text,
            key=key,
            label_visibility="collapsed",
            placeholder="the raw distribution: nothing is changed",
            help="As in “temperature 0.4, top_p 0.9”; what is not named changes nothing.",
            on_change=bind_widget(key, text, lambda typed: _replace(number, read_settings_text(str(typed or "")))),
        )
        with st.popover(
            "",
            icon=":material/instant_mix:",
            on_change="rerun",
            key=f"tune_widgets_{number}",
            help="Samplers one by one",
        ) as box:
            if box.open:
                _widgets(number, own)
        if number:
            st.button(
                "",
                key=f"tune_remove_{number}",
                icon=":material/delete:",
                on_click=_callback(lambda: _remove(number)),
                help=f"Remove {escape_markdown(name)}",
            )
        else:
            st.markdown(
                ":violet-badge[today]", help="The present setting, as the samplers of all pages stand.", width="content"
            )


def _widgets(number: int, own: SamplerSettings) -> None:
    """Which samplers are on, and a field for each parameter of theirs."""
    on = [name for name, _value in own.changed if name in NUMBERS]
    key = f"tune_on_{number}"
    shown = st.multiselect(
        "Parameters",
        NUMBERS,
        default=on,
        format_func=lambda name: PARAMETERS[name].label,
        key=key,
        help="Taken out, a parameter goes back to the value that changes nothing.",
        on_change=bind_widget(key, on, lambda names: _neutralise(number, own, [str(name) for name in names])),
    )
    for name in shown:
        parameter, value = PARAMETERS[name], getattr(own, name)
        key = f"tune_value_{number}_{name}"
        kind = int if parameter.kind == "int" else float
        st.number_input(
            parameter.label,
            min_value=kind(parameter.low),
            max_value=kind(min(parameter.high, 1e9)),
            value=kind(value),
            step=kind(parameter.step),
            key=key,
            help=parameter.help,
            on_change=bind_widget(key, kind(value), _value_writer(number, name)),
        )
    st.caption("The order of the samplers, biases and breakers are typed: `order vllm`, or the whole as JSON.")


def _value_writer(number: int, name: str) -> Callable[[object], None]:
    def write(value: object) -> None:
        _replace(number, _at(number)[1].replace(**{name: value}))

    return write


def _preset_buttons(settings: Mapping[str, SamplerSettings]) -> None:
    for key, preset in PRESETS.items():
        st.button(
            escape_markdown(preset.label),
            key=f"tune_preset_{key}",
            help=preset.explain,
            on_click=_callback(partial(add_settings, {preset.label: preset.settings})),
            disabled=preset.settings in settings.values() or len(settings) >= MOST_SETTINGS,
        )
    for kept in kept_presets():
        st.button(
            escape_markdown(kept.name),
            key=f"tune_kept_preset_{kept.name}",
            help=escape_markdown(settings_text(kept.settings)) or None,
            on_click=_callback(partial(add_settings, {kept.name: kept.settings})),
            disabled=kept.settings in settings.values() or len(settings) >= MOST_SETTINGS,
        )


def _grid_form() -> None:
    st.markdown("Every combination of two parameters' values, all else as in the present setting.")
    for number, (default, usual) in enumerate(_USUAL.items()):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.selectbox(
                f"Parameter {number + 1}",
                NUMBERS,
                NUMBERS.index(default),
                format_func=lambda name: PARAMETERS[name].label,
                key=f"tune_grid_parameter_{number}",
            )
            st.text_input("Values", usual, key=f"tune_grid_values_{number}", help="Parted by commas or spaces.")
    st.button(
        "Take these settings",
        key="tune_grid_take",
        type="primary",
        on_click=_callback(_take_grid),
        help="In the place of all but the present one.",
    )


# -- writing to the draft ------------------------------------------------------------------------------------------------


def _callback(write: Callable[[], None]) -> Callable[..., None]:
    def tried() -> None:
        session.clear_problems()
        try:
            write()
        except PlaygroundError as error:
            session.note_problem(str(error))

    return rerun_callback(tried, PICTURES)


def _at(number: int) -> tuple[str, SamplerSettings]:
    """Raises BadInput for a line that has gone: a second click may come before the page was drawn again."""
    settings = list(draft_settings().items())
    if number >= len(settings):
        raise BadInput("This setting is not there any more.", "settings")
    return settings[number]


def _put(settings: list[tuple[str, SamplerSettings]]) -> None:
    """All of them anew, the present one first."""
    present, own = settings[0]
    if own != workspace.setup().settings:
        workspace.change(settings=own)
    change_draft(present_name=present, others=MappingProxyType(dict(settings[1:])))


def _replace(number: int, own: SamplerSettings) -> None:
    """A setting that still has the name that was made of it is named anew."""
    name, old = _at(number)
    settings = list(draft_settings().items())
    if number and name == setting_name(old, ()):
        name = setting_name(own, [other for place, (other, _own) in enumerate(settings) if place != number])
    settings[number] = name, own
    _put(settings)


def _rename(number: int, name: str) -> None:
    name = name.strip()
    settings = list(draft_settings().items())
    _old, own = _at(number)
    others = [other for place, (other, _own) in enumerate(settings) if place != number]
    if not name or name == CONTROL or name in others:
        raise BadInput(
            f"A setting cannot be called {name[:40]!r}: give it a name of its own (the control is another).", "settings"
        )
    settings[number] = name, own
    _put(settings)


def _remove(number: int) -> None:
    settings = list(draft_settings().items())
    _at(number)
    _put([*settings[:number], *settings[number + 1 :]])


def add_settings(more: Mapping[str, SamplerSettings]) -> None:
    """Further settings for the draft, under other names where theirs are taken. Raises BadInput for too many."""
    settings = draft_settings()
    if len(settings) + len(more) > MOST_SETTINGS:
        raise BadInput(f"At most {MOST_SETTINGS} settings are compared: remove one first.", "settings")
    for name, own in more.items():
        settings[setting_name(own, settings) if name in settings or name == CONTROL else name] = own
    _put(list(settings.items()))


def _add_one() -> None:
    """A copy of the present one with another temperature, so that it differs."""
    own = draft_settings()[draft().present_name]
    taken = draft_settings().values()
    cooler = next(
        (other for heat in (0.7, 0.4, 1.0, 0.2, 1.3) if (other := own.replace(temperature=heat)) not in taken), own
    )
    add_settings({setting_name(cooler, draft_settings()): cooler})


def _neutralise(number: int, own: SamplerSettings, names: list[str]) -> None:
    """Parameters that were taken out go back to their neutral value; one that was put in gets a usual one."""
    changes: dict[str, object] = {
        name: PARAMETERS[name].neutral for name, _value in own.changed if name in NUMBERS and name not in names
    }
    for name in names:
        if getattr(own, name) == PARAMETERS[name].neutral:
            usual = [value for value in PARAMETERS[name].usual if value != PARAMETERS[name].neutral]
            changes[name] = usual[len(usual) // 2] if usual else PARAMETERS[name].neutral
    _replace(number, own.replace(**changes))


def _take_grid() -> None:
    """As the fields stand when the button is pressed: a value may have been typed just before."""
    chosen = {
        str(st.session_state[f"tune_grid_parameter_{number}"]): str(
            st.session_state[f"tune_grid_values_{number}"] or ""
        )
        for number in range(len(_USUAL))
    }
    if len(chosen) < 2:
        raise BadInput("A grid has two parameters: choose two different ones.", "grid")
    present = draft_settings()[draft().present_name]
    combinations = grid(present, {name: read_values(name, typed) for name, typed in chosen.items()})
    others = {name: own for name, own in combinations.items() if own != present and name != draft().present_name}
    if len(others) >= MOST_SETTINGS:
        raise BadInput(
            f"Beside the present one these are {len(others)} settings, and at most {MOST_SETTINGS} are compared.",
            "grid",
        )
    _put([(draft().present_name, present), *others.items()])
