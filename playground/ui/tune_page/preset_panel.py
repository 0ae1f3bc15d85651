"""The decided setting as a preset: kept under a name, in every engine's own fields, and held against what a server took."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit, urlunsplit

import streamlit as st

from playground.engine.api import CancelToken, Echo, Engine
from playground.engine.facets import offers, require
from playground.engine.serving.turns import Priority
from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.sampling.export_fields import llama_cpp_fields
from playground.sampling.preset_files import PRESET_FILES, preset_file
from playground.sampling.settings import SamplerSettings
from playground.state.setup import Setup, setup_query
from playground.tuning.preset import FieldCheck, PresetStore, compare_fields, preset_json
from playground.tuning.setting_text import OFF, settings_text
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.kit.fragments import PICTURES, rerun_callback
from playground.ui.kit.jobs import result_of
from playground.ui.kit.links import address_of
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import problems_shown_here
from playground.ui.kit.session import bind_widget
from playground.ui.runtime import session_id
from playground.ui.tune_page.measured import Measured
from playground.ui.visitor import owner_id
from playground.ui.workspace import setup as workspace

_FEWEST_DIGITS = 6


@dataclass(frozen=True, slots=True)
class _Choice:
    """Which setting is taken, "" for the recommended one; its name as a preset, "" for the setting's own; what was kept."""

    setting: str = ""
    name: str = ""
    kept: str = ""
    asked: bool = False


def preset_panel(worker: Worker, measurement: Measured) -> None:
    """Choose, keep, export, prove."""
    choice = session.get(_Choice)
    arms = list(measurement.plan.settings)
    setting = choice.setting if choice.setting in arms else measurement.findings.recommendation.setting
    settings = measurement.plan.settings[setting]
    name = choice.name or setting
    st.markdown("**Preset**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Setting",
            arms,
            index=arms.index(setting),
            key="preset_setting",
            width=220,
            help="The recommended one unless you choose another.",
            on_change=bind_widget("preset_setting", setting, lambda new: _change(setting=str(new), name="", kept="")),
        )
        st.text_input(
            "Name",
            value=name,
            key="preset_name",
            width=260,
            on_change=bind_widget("preset_name", name, lambda new: _change(name=str(new or ""), kept="")),
        )
        st.button(
            "Keep as a preset",
            key="preset_keep",
            type="primary",
            icon=":material/bookmark_add:",
            help="It then stands beside the built-in presets on every page.",
            on_click=rerun_callback(_persist, PICTURES),
            args=(name, settings, measurement.findings.recommendation.text),
        )
        st.button(
            "Use it now",
            key="preset_use",
            icon=":material/tune:",
            help="Sets the samplers of all pages to it.",
            disabled=workspace.setup().settings == settings,
            on_click=rerun_callback(_use, PICTURES),
            args=(settings,),
        )
    st.caption(escape_markdown(settings_text(settings) or OFF))
    if choice.kept:
        st.success(f"Kept as {escape_markdown(choice.kept)}: see Presets on any page.", icon=":material/bookmark:")
    _files(name, settings, measurement.findings.recommendation.text)
    _proof(worker, settings)


def _change(**fields: str | bool) -> tuple[str, ...]:
    session.put(replace(session.get(_Choice), **fields))  # type: ignore[arg-type]  # names and values are written here
    return (PICTURES,)


def _persist(name: str, settings: SamplerSettings, why: str) -> None:
    try:
        kept = PresetStore(owner_id()).persist(name, settings, why)
    except PlaygroundError as error:
        session.note_problem(str(error))
    else:
        session.clear_problems()
        _change(kept=kept.name)


def _use(settings: SamplerSettings) -> None:
    workspace.change(settings=settings)


def _files(name: str, settings: SamplerSettings, why: str) -> None:
    engine = str(
        st.segmented_control(
            "Engine",
            list(PRESET_FILES),
            default=next(iter(PRESET_FILES)),
            key="preset_engine",
            required=True,
            label_visibility="collapsed",
            format_func=lambda which: PRESET_FILES[which].label,
        )
    )
    target, exported = PRESET_FILES[engine], preset_file(engine, settings)
    st.code(exported.code, language="json")
    st.caption(f"{target.file_name}: {escape_markdown(target.use)}.")
    for warning in exported.warnings:
        st.warning(escape_markdown(warning), icon=":material/warning:")
    with st.container(horizontal=True, vertical_alignment="center"):
        file_button(target.file_name, target.file_name, lambda: exported.code)
        file_button("Preset as JSON", "preset.json", lambda: preset_json(name, settings, why))
        with st.popover("Link", icon=":material/link:", on_change="rerun", key="preset_link") as link:
            if link.open:
                st.code(_link(settings), language=None, wrap_lines=True)
                st.caption("Opens Sampling with these settings, and no more than them.")


def _link(settings: SamplerSettings) -> str:
    """To the first page of this server with the settings alone."""
    parts = urlsplit(address_of(setup_query(Setup(settings=settings))))
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rsplit("/", 1)[0] + "/", parts.query, ""))


# -- whether it took -----------------------------------------------------------------------------------------------------


def _proof(worker: Worker, settings: SamplerSettings) -> None:
    """What the engine in use says it made of the preset, field by field."""
    server = worker.engine.info.server
    if server is None:
        st.caption(
            ":material/verified: A model in this process is sampled here, by the same code as every page's pictures."
        )
        return
    if not offers(worker.engine, Echo):
        st.caption(
            f":material/help: {escape_markdown(worker.engine.info.name)} does not say which settings it used, so nothing "
            "here can prove that they took: compare its texts with and without."
        )
        return
    if not session.get(_Choice).asked:
        st.button(
            "Ask the server whether it took",
            key="preset_prove",
            icon=":material/fact_check:",
            help="One token is written with these fields; the answer says what was used.",
            on_click=rerun_callback(_prove, PICTURES),
        )
        return
    with problems_shown_here():
        _show_checks(_ask(worker, settings))


def _prove() -> None:
    _change(asked=True)


def _ask(worker: Worker, settings: SamplerSettings) -> tuple[FieldCheck, ...]:
    fields = llama_cpp_fields(settings)

    def job(engine: Engine, cancel: CancelToken) -> Generator[None, None, tuple[FieldCheck, ...]]:
        yield
        return compare_fields(fields, require(engine, Echo).settings_used(fields, cancel=cancel))

    key = worker.engine.info.id, settings
    submit = lambda: worker.submit(session_id(), "tune-echo", job, Priority.LOOK)  # noqa: E731
    return result_of("tune-echo", key, submit, "asking the server which settings it used")


def _show_checks(checks: tuple[FieldCheck, ...]) -> None:
    lost = [check.name for check in checks if not check.took]
    if lost:
        st.error(f"Dropped or changed by the server: {escape_markdown(', '.join(lost))}.", icon=":material/report:")
    else:
        st.success(f"It took: all {len(checks)} fields come back as they were sent.", icon=":material/verified:")
    st.dataframe(
        [
            {
                "field": check.name,
                "sent": _shown(check.sent),
                "used": "not told" if check.used is None else _shown(check.used),
                "took": "yes" if check.took else "no",
            }
            for check in checks
        ],
        key="preset_checks",
        hide_index=True,
    )


def _shown(value: object) -> str:
    """JSON of a server, in a cell: a float32 with the digits that it has."""
    return f"{value:.{_FEWEST_DIGITS}g}" if isinstance(value, float) else str(value)[:200]
