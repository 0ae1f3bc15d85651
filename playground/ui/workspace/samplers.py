"""The samplers' controls: a row each, presets, the order, the seed. They follow the shared setup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import streamlit as st

from playground.sampling.orders import ORDERS, order_name
from playground.sampling.presets import PRESETS
from playground.sampling.registry import PANELS, PARAMETERS, SAMPLERS
from playground.sampling.sampler import Parameter
from playground.sampling.settings import NEUTRAL, SamplerSettings
from playground.state.link_fields import link_fields
from playground.state.setup import Setup
from playground.ui.kit import session
from playground.ui.kit.fragments import CONTROLS, PICTURES, rerun_callback
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.session import bind_widget
from playground.ui.workspace.kept_presets import kept_preset_buttons, preset_from_file
from playground.ui.workspace.setup import parts_that_differ


@dataclass(frozen=True, slots=True)
class Mark:
    """A word beside an active sampler, in a colour of Streamlit's badges, and the sentence behind it."""

    word: str
    colour: str
    why: str


def sampler_controls(marks: Mapping[str, Mark] = MappingProxyType({})) -> None:
    """Presets, the main sliders, the second group, the order, the seed. ``marks``: by sampler."""
    settings = session.get(Setup).settings
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.popover("Presets", icon=":material/tune:", on_change="rerun", key="presets") as presets:
            if presets.open:
                _preset_buttons()
        st.button(
            "Neutralise all",
            on_click=rerun_callback(neutralise, PICTURES, CONTROLS),
            help="Every sampler to its neutral value, which changes nothing.",
        )
    with st.container(key="sampler_rows"):
        for name in PANELS["Main"]:
            _slider(PARAMETERS[name], settings, marks)
    # The label stays the same: with another one it would be another expander, and closed.
    with st.expander("More samplers", on_change="rerun", key="more_samplers") as more:
        if more.open:
            _second_group(settings, marks)
    _order_controls(settings, marks)
    _seed()


def change_settings(**values: object) -> tuple[str, ...]:
    """Replace sampling parameters; the parts of the page that look different now. Raises BadSetting."""
    return _change(settings=session.get(Setup).settings.replace(**values))


def _change(**fields: Any) -> tuple[str, ...]:
    old = session.get(Setup)
    new = old.change(**fields)
    session.put(new)
    return parts_that_differ(old, new)


def use_settings(settings: SamplerSettings) -> None:
    """Replace all sampling parameters."""
    _change(settings=settings)
    session.clear_problems()


def neutralise() -> None:
    """Everything off; the order stays."""
    use_settings(NEUTRAL.replace(order=session.get(Setup).settings.order))


def _preset_buttons() -> None:
    kept_preset_buttons(use_settings)
    for name, preset in PRESETS.items():
        st.button(
            escape_markdown(preset.label),
            key=f"preset_{name}",
            help=preset.explain,
            on_click=rerun_callback(use_settings, PICTURES, CONTROLS),
            args=(preset.settings,),
        )
    preset_from_file()


def _slider(parameter: Parameter, settings: SamplerSettings, marks: Mapping[str, Mark]) -> None:
    """One parameter on one line: its label, bold where its sampler is on, and a slider over the usual span or wider."""
    value = getattr(settings, parameter.name)
    key = f"w_{parameter.name}"
    low, high = min(parameter.usual[0], parameter.low, value), max(parameter.usual[-1], value)
    if parameter.low < parameter.usual[0] and value >= parameter.usual[0] and parameter.neutral != parameter.low:
        low = parameter.usual[0]
    whole = parameter.kind == "int"
    decimals = 0 if whole else max(2, len(f"{parameter.step:.6f}".rstrip("0").split(".")[1]))
    sampler = next((each for each in SAMPLERS.values() if each.parameters[0].name == parameter.name), None)
    on = sampler is not None and not sampler.is_neutral(settings)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"row_{parameter.name}"):
        mark = marks.get(sampler.name) if sampler is not None and on else None
        label = f"**{parameter.label}**" if on else parameter.label
        badge, why = ("", "") if mark is None else (f" :{mark.colour}-badge[{mark.word}]", f"\n\n{mark.why}")
        st.markdown(label + badge, help=parameter.help + why, width=150 if marks else 130)
        st.slider(
            parameter.label,
            min_value=int(low) if whole else float(low),
            max_value=int(high) if whole else float(high),
            value=int(value) if whole else float(value),
            step=int(parameter.step) if whole else float(parameter.step),
            format="%d" if whole else f"%.{decimals}f",
            key=key,
            label_visibility="collapsed",
            on_change=bind_widget(key, value, lambda new: change_settings(**{parameter.name: new})),
        )


def _second_group(settings: SamplerSettings, marks: Mapping[str, Mark]) -> None:
    for title, names in PANELS.items():
        if title == "Main":
            continue
        st.caption(title)
        for name in names:
            parameter = PARAMETERS[name]
            if parameter.kind == "bias":
                _bias_field(parameter, settings)
            elif parameter.kind == "strings":
                _strings_field(parameter, settings)
            else:
                _slider(parameter, settings, marks)


def _bias_field(parameter: Parameter, settings: SamplerSettings) -> None:
    text = ", ".join(f"{token}={bias:g}" for token, bias in settings.logit_bias)
    st.text_input(
        parameter.label,
        value=text,
        key="w_logit_bias",
        placeholder="id=bias, for example 7042=-5",
        help=parameter.help,
        on_change=bind_widget("w_logit_bias", text, lambda new: change_settings(logit_bias=new or "")),
    )


def _strings_field(parameter: Parameter, settings: SamplerSettings) -> None:
    value = list(getattr(settings, parameter.name))
    key = f"w_{parameter.name}"
    st.multiselect(
        parameter.label,
        options=list(dict.fromkeys([*value, *NEUTRAL.dry_sequence_breakers])),
        default=value,
        accept_new_options=True,
        format_func=lambda text: repr(text)[1:-1],
        key=key,
        help=parameter.help,
        on_change=bind_widget(key, value, lambda new: change_settings(**{parameter.name: tuple(new)})),
    )


def _order_controls(settings: SamplerSettings, marks: Mapping[str, Mark]) -> None:
    """The order as a preset, and each sampler's place in it."""
    current = order_name(settings.order) or "custom"
    options = [*ORDERS, *([current] if current not in ORDERS else [])]
    st.segmented_control(
        "Order",
        options,
        default=current,
        key="w_order",
        required=True,
        help="The order changes the result. hf: transformers; vllm; llama.cpp (temperature last); custom: your own.",
        on_change=bind_widget("w_order", current, _choose_order),
    )
    with st.popover("Edit the order", icon=":material/swap_vert:", on_change="rerun", key="order_editor") as editor:
        if editor.open:
            _order_editor(settings)
    chain_line(marks)


def chain_line(marks: Mapping[str, Mark] = MappingProxyType({})) -> None:
    """Which samplers are on, those of the closed group too, and in which order they are applied."""
    settings = session.get(Setup).settings
    words = [SAMPLERS[name].label + (f" ({marks[name].word})" if name in marks else "") for name in settings.active()]
    steps = " → ".join(words) or "nothing: the raw distribution"
    idle = settings.replaced()
    st.caption(
        f"Applied in this order: {steps}." + (f" Idle: {', '.join(SAMPLERS[n].label for n in idle)}." if idle else "")
    )


def _choose_order(name: str | None) -> tuple[str, ...]:
    return change_settings(order=name) if name in ORDERS else ()


def _order_editor(settings: SamplerSettings) -> None:
    from playground.sampling.orders import appended

    name = order_name(settings.order)
    extra = appended(name) if name else ()
    st.caption("Applied from top to bottom. Samplers that are off are greyed; their place matters once they are on.")
    if extra:
        st.caption(
            f"{name} itself lacks {', '.join(SAMPLERS[n].label for n in extra)}: at the end of their own group here."
        )
    active, move = set(settings.active()), rerun_callback(_move, PICTURES, CONTROLS)
    for index, sampler in enumerate(settings.order):
        label, up, down = st.columns([4, 1, 1], vertical_alignment="center", wrap=False)
        text = SAMPLERS[sampler].label
        label.markdown(f"{index + 1}. **{text}**" if sampler in active else f"{index + 1}. :gray[{text}]")
        last = len(settings.order) - 1
        up.button(
            "↑",
            key=f"up_{sampler}",
            on_click=move,
            args=(sampler, -1),
            disabled=index == 0,
            help=f"{text} earlier",
        )
        down.button(
            "↓",
            key=f"down_{sampler}",
            on_click=move,
            args=(sampler, 1),
            disabled=index == last,
            help=f"{text} later",
        )


def _move(sampler: str, by: int) -> None:
    """By name: a second click comes before the editor was drawn again, when places have moved on."""
    order = list(session.get(Setup).settings.order)
    index = order.index(sampler)
    if not 0 <= index + by < len(order):
        return
    order[index], order[index + by] = order[index + by], order[index]
    change_settings(order=tuple(order))


def _seed() -> None:
    field, value = link_fields(Setup)["seed"], session.get(Setup).seed
    assert field.low is not None and field.high is not None
    st.number_input(
        field.label,
        min_value=int(field.low),
        max_value=int(field.high),
        value=value,
        step=1,
        key="w_seed",
        help=field.help,
        on_change=bind_widget("w_seed", value, lambda new: _change(seed=field.read("" if new is None else str(new)))),
    )
