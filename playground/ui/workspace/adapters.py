"""Adapters on the model in use: choosing one, how strongly it counts, files in and out."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from playground.engine.api import CancelToken, Engine
from playground.engine.serving.loading import ModelChoice
from playground.engine.serving.worker import Worker
from playground.errors import BadInput, PlaygroundError
from playground.models.adapter_files import MOST_BYTES, adapter_zip, install_adapter, list_adapters
from playground.models.adapter_names import STRENGTHS, AdapterName, read_strength, with_adapter
from playground.models.adapters import Adapter, find_adapter, fits
from playground.models.catalogue import ModelSource, resolve
from playground.models.naming import ComparedModel, base_names
from playground.store.adapters import delete_adapter, merged_folder
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.kit.jobs import Pending, result_of
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.session import bind_widget
from playground.ui.runtime import session_id
from playground.ui.visitor import owner_id
from playground.ui.workspace.model import chosen_model, loaded_model
from playground.ui.workspace.setup import change, setup
from playground.ui.workspace.shared import file_uploader, is_guest

_STEP = 0.05


@dataclass(frozen=True, slots=True)
class _Merging:
    """The model whose merged folder was asked for."""

    choice: ModelChoice | None = None


def adapter_in_use() -> AdapterName | None:
    """What is on the model in use."""
    try:
        return resolve(chosen_model().spec).adapter
    except PlaygroundError:
        return None


def own_adapters(source: ModelSource | None = None) -> tuple[Adapter, ...]:
    """What this reader has kept, of those for ``source``, or for the model in use."""
    try:
        wanted = source or resolve(chosen_model().spec)
    except PlaygroundError:
        return ()
    if wanted.kind == "server":
        return ()
    return tuple(adapter for adapter in list_adapters(owner_id()) if fits(adapter, wanted))


def put_adapter(adapter: str, strength: float = 1.0, *, merged: bool = False) -> None:
    """Set an adapter on the model in use, in the place of the one that it has."""
    change(model=with_adapter(setup().model, adapter, strength, merged=merged))


def take_adapter_off() -> None:
    """The base alone."""
    choice = chosen_model()
    names = base_names(choice.spec, choice.device, choice.dtype)
    if names is not None:
        change(model=names[0])


def pin_suggestions() -> dict[str, str]:
    """Adapters to compare the model in use with, and its base where it has one on; names with what each means."""
    suggestions: dict[str, str] = {}
    present = adapter_in_use()
    if present is not None:
        choice = chosen_model()
        names = base_names(choice.spec, choice.device, choice.dtype)
        if names is not None:
            base = resolve(names[0]).id
            suggestions[ComparedModel(base, choice.device, choice.dtype).text] = f"{base}, without the adapter"
    used = None if present is None else present.adapter
    others = (adapter for adapter in own_adapters() if adapter.id != used)
    return suggestions | {f"+{adapter.id}": f"{adapter.name}, an adapter on the model in use" for adapter in others}


# -- the sidebar -------------------------------------------------------------------------------------------------------


def adapter_card() -> None:
    """Below the model: the strength of the adapter in use, and a popover to choose one; nothing for a served model."""
    present = adapter_in_use()
    if present is None and not _runs_here():
        return
    if present is not None:
        _strength(present)
    with st.popover(
        "Adapter", icon=":material/extension:", width="stretch", on_change="rerun", key="adapter"
    ) as popover:
        if popover.open:
            if present is not None:
                _in_use(present)
            if not _choice(present):
                st.caption("No adapter is kept here for this model: teach one, or upload one.")
            _upload()
            if present is not None:
                _files(present)


def _runs_here() -> bool:
    try:
        return resolve(chosen_model().spec).kind != "server"
    except PlaygroundError:
        return False


def _strength(name: AdapterName) -> None:
    low, high = STRENGTHS

    def write(strength: float) -> Sequence[str]:
        put_adapter(name.adapter, read_strength(strength), merged=name.merged)
        return ()  # the sidebar redraws the whole page

    st.slider(
        "Adapter's strength",
        low,
        high,
        value=name.strength,
        step=_STEP,
        key="adapter_strength",
        on_change=bind_widget("adapter_strength", name.strength, write),
        help="0: the base, to the bit. 1: as it was trained. No weights are loaded for another strength.",
    )


def _in_use(name: AdapterName) -> None:
    def write(merged: bool) -> Sequence[str]:
        put_adapter(name.adapter, name.strength, merged=merged)
        return ()

    st.button(
        "Take off",
        key="adapter_off",
        icon=":material/extension_off:",
        on_click=take_adapter_off,
        help="The base alone.",
    )
    st.toggle(
        "Merged",
        value=name.merged,
        key="adapter_merged",
        on_change=bind_widget("adapter_merged", name.merged, write),
        help="Off: W x + strength · scale · B (A x), on the base's own weights. On: the sum is put into a copy of the "
        "adapted weights, which takes memory and time; the answers differ by rounding alone.",
    )


def _choice(present: AdapterName | None) -> bool:
    """A button for each of this reader's adapters for the model in use; says whether there are any."""
    adapters = own_adapters()
    if adapters:
        st.caption("Adapters for this model:")
    for adapter in adapters:
        st.button(
            escape_markdown(adapter.name),
            key=f"adapter_{adapter.id}",
            on_click=put_adapter,
            args=(adapter.id,),
            disabled=present is not None and present.adapter == adapter.id,
            type="tertiary",
            help=f"Rank {adapter.rank} on {', '.join(adapter.targets)}: {adapter.parameters:,} parameters.",
        )
    return bool(adapters)


def _upload() -> None:
    given = file_uploader(
        "A PEFT folder as a zip",
        type="zip",
        key="adapter_upload",
        max_upload_size=MOST_BYTES // 2**20,
        help="adapter_config.json and adapter_model.safetensors; nothing else is read, and no code is run.",
    )
    if given is None or not session.once(f"adapter {given.file_id}"):
        return
    try:
        adapter = install_adapter(owner_id(), given.getvalue(), given.name)
        source = resolve(chosen_model().spec)
        if not fits(adapter, source):
            raise BadInput(f"The adapter is kept, and it was trained on {adapter.base}: choose that model to use it.")
    except PlaygroundError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return
    put_adapter(adapter.id)
    st.rerun()


def _files(name: AdapterName) -> None:
    try:
        adapter = find_adapter(name)
    except PlaygroundError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return
    file_button(
        "PEFT folder", f"{adapter.folder.name}.zip", lambda: adapter_zip(adapter.folder), "What PEFT and TRL load."
    )
    if adapter.id in [one.id for one in own_adapters()]:
        st.button(
            "Delete",
            key="adapter_delete",
            icon=":material/delete:",
            on_click=_delete,
            args=(adapter.id,),
            help="Its files are removed from this machine; take the folder away first where you want it again.",
        )
    if is_guest():
        return
    st.button(
        "Write merged model",
        key="write_merged",
        icon=":material/merge:",
        on_click=lambda: session.put(_Merging(chosen_model())),
        help="Base and adapter as one folder of safetensors, which any program loads without PEFT.",
    )
    choice = chosen_model()
    if session.get(_Merging).choice == choice:
        _show_merged(choice)


def _delete(id: str) -> None:
    take_adapter_off()
    delete_adapter(owner_id(), id)


def _show_merged(choice: ModelChoice) -> None:
    try:
        st.code(str(_merged(choice, loaded_model())), language=None, wrap_lines=True)
        st.caption("The folder's path: it is a model's name here too.")
    except Pending:
        _wait_for_merged(choice)
    except PlaygroundError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")


@st.fragment(run_every=1.0)
def _wait_for_merged(choice: ModelChoice) -> None:
    """Looks by itself: no part of the page, whose progress would be shown in the same place, lies in the sidebar."""
    try:
        _merged(choice, loaded_model())
    except Pending:
        st.caption(":material/hourglass_top: The merged model is written …")
    except PlaygroundError:
        st.rerun()
    else:
        st.rerun()


def _merged(choice: ModelChoice, worker: Worker) -> Path:
    """The folder of the merged model, written by the worker. Raises Pending."""

    def job(engine: Engine, cancel: CancelToken) -> Generator[None, None, Path]:
        from playground.models.merging import merging

        steps = merging(choice.spec or "", merged_folder())
        while True:
            cancel.check()
            try:
                next(steps)
            except StopIteration as end:
                folder: Path = end.value
                return folder
            yield

    return result_of("merge", choice, lambda: worker.submit(session_id(), "merge", job), "The merged model is written")
