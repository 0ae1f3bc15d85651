"""The sidebar's model card: what is loaded, how busy it is, and choosing another one."""

from __future__ import annotations

import streamlit as st

from playground.engine.api import Score
from playground.engine.facets import offers
from playground.engine.serving.loading import Loading
from playground.engine.serving.worker import Worker
from playground.errors import BadInput
from playground.models.address import is_address
from playground.models.catalogue import resolve
from playground.models.info import ModelInfo, ServerFacts, or_unknown
from playground.ui.kit import jobs, session
from playground.ui.kit.markdown import escape_markdown
from playground.ui.runtime import CARD_IS_WAITING, forget_failure, model_pool, note_end
from playground.ui.workspace.adapter_access import shares_loaded_weights
from playground.ui.workspace.adapters import adapter_card
from playground.ui.workspace.model import LoadingProgress, chosen_model, request_chosen
from playground.ui.workspace.setup import change, setup
from playground.ui.workspace.shared import is_guest, offered_models, show_shared_server, visitor_limits

DTYPES = ("auto", "float32", "bfloat16", "float16")
DEVICES = ("auto", "cpu", "cuda", "mps")


_ASKED = "model_asked_for"
_MOST_LISTED = 50  # of a server's models


def sidebar_model(needed: bool = True) -> None:
    """Name, size, place and queue of the model in use, and a popover to change it.

    On a page that needs no model (``needed`` False) nothing is loaded until somebody asks for it.
    """
    if needed:
        st.session_state[_ASKED] = True
    elif not st.session_state.get(_ASKED) and chosen_model() not in model_pool().asked_for():
        with st.container(border=True, key="model_card"):
            st.markdown("**Model**  \nnot loaded: this page needs none")
            st.button("Load", key="load_model", icon=":material/download:", on_click=_ask, width="stretch")
        return
    loading = request_chosen()
    if shares_loaded_weights(chosen_model()):
        jobs.there_soon(LoadingProgress(loading))  # of an adapter that is milliseconds: its strength follows the slider
    st.session_state[CARD_IS_WAITING] = not loading.done.is_set()
    with st.container(border=True, key="model_card"):
        served = None
        if loading.error is not None:
            st.markdown("**No model**  \n:material/error: could not be loaded")
            st.button("Try again", key="try_model_again", icon=":material/refresh:", on_click=forget_failure)
        elif loading.done.is_set() and loading.worker is not None:
            _card(loading.worker)
            served = loading.worker.engine.info
        else:
            _card_of_the_coming(loading)
        adapter_card()
        if is_guest():
            _offer()
        else:
            _picker(served)


@st.fragment(run_every=1.0)
def _card_of_the_coming(loading: Loading) -> None:
    """What is known so far; looks by itself whether there is more, and draws the whole page once the model is there."""
    note_end(loading)
    st.markdown("**Model**  \n:material/hourglass_top: loading…")


def _ask() -> None:
    st.session_state[_ASKED] = True


def _card(worker: Worker) -> None:
    info, status = worker.engine.info, worker.status()
    mark = ":material/pending: busy" if status.busy else ":material/check_circle: ready"
    queue = f", {status.queued} waiting" if status.queued else ""
    st.markdown(f"**{escape_markdown(info.name)}**  \n{_size_line(info)}{_scores(worker)}  \n{mark}{queue}")


def _scores(worker: Worker) -> str:
    """Whether a server tells the log-probabilities of a given text; nothing of a model in this process, which does."""
    if worker.engine.info.server is None:
        return ""
    return " · scores texts" if offers(worker.engine, Score) else " · does not score texts"


def _size_line(info: ModelInfo) -> str:
    size = "unknown" if info.parameters is None else f"{info.parameters / 1e6:,.0f} M"
    weights = info.weights_bytes
    stored = "unknown" if weights is None else f"{weights / 1e9:.2f} GB ({weights / 2**30:.2f} GiB)"
    if info.server is not None:
        context = "context unknown" if info.server.chats_only else f"{info.context_length:,} tokens of context"
        return f"{escape_markdown(info.server.sentence)}  \n{size} parameters · {or_unknown(info.dtype)} · {context}"
    return f"{size} parameters · {or_unknown(info.dtype)} · {or_unknown(info.device)}  \nweights {stored}"


def _picker(loaded: ModelInfo | None) -> None:
    with st.popover("Change model", icon=":material/swap_horiz:", width="stretch", on_change="rerun") as popover:
        if not popover.open:
            return
        chosen = setup()
        with st.form("model_form", border=False):
            spec = st.text_input(
                "Model",
                value=chosen.model or "",
                placeholder="name, hub id, folder, .gguf file or http://host:port/v1",
                help="Empty: the bundled model. Weights are read from safetensors or GGUF only; code from a model is never run.",
            )
            device = st.selectbox("Device", DEVICES, index=_index(DEVICES, chosen.device))
            dtype = st.selectbox("Number format (dtype)", DTYPES, index=_index(DTYPES, chosen.dtype))
            submitted = st.form_submit_button("Load", type="primary")
        if loaded is not None and loaded.server is not None and len(loaded.server.models) > 1:
            _served_models(loaded.id, loaded.server)
        _suggestions()
        if submitted:
            choose_model(spec, device, dtype)
            st.rerun()


def _offer() -> None:
    """For a guest of a shared server: what is offered, and what holds for everybody."""
    with st.popover(
        "Shared server", icon=":material/group:", width="stretch", on_change="rerun", key="shared_server"
    ) as popover:
        if not popover.open:
            return
        show_shared_server(visitor_limits())
        offered = offered_models()
        if len(offered) > 1:
            st.caption("Models:")
        for place, (name, choice) in enumerate(offered.items() if len(offered) > 1 else ()):
            st.button(
                escape_markdown(name) or "the one it was started with",
                key=f"offered_model_{place}",
                on_click=change,
                kwargs={"model": choice.spec, "device": choice.device, "dtype": choice.dtype},
                disabled=choice == chosen_model(),
                type="tertiary",
            )


def _index(options: tuple[str, ...], value: str | None) -> int:
    return options.index(value) if value in options else 0


def choose_model(spec: str, device: str = "auto", dtype: str = "auto") -> None:
    """Make this session's choice; the page loads it on its next run."""
    forget_failure()
    try:
        wanted = resolve(spec).id if is_address(spec.strip()) else spec.strip() or None
    except BadInput as error:  # an address with a password in it must not get into a link
        session.note_problem(str(error))
        return
    change(
        model=wanted,
        device=None if device == "auto" else device,
        dtype=None if dtype == "auto" else dtype,
    )


def offer_hub_model() -> None:
    """Where the bundled weights are not installed: a button that fetches the same model from the hub."""
    from playground.models.bundled import bundled_available
    from playground.models.catalogue import CATALOGUE, DEFAULT_MODEL

    if setup().model is None and not bundled_available():
        entry = CATALOGUE[DEFAULT_MODEL]
        st.button(
            f"Fetch {entry.title} from the hub",
            key="fetch_default_model",
            icon=":material/cloud_download:",
            on_click=_fetch,
            args=(entry.hub_id,),
            help=f"Downloads {entry.hub_id}, {entry.parameters / 1e6:.0f} million parameters, once ({entry.license}).",
        )


def _fetch(hub_id: str) -> None:
    choose_model(hub_id)
    st.rerun()  # the sidebar too, not only the part of the page with the button


def _served_models(address: str, facts: ServerFacts) -> None:
    """The models that the server of the one in use lists, to choose from."""
    st.caption("Models of this server:")
    for place, name in enumerate(facts.models[:_MOST_LISTED]):
        st.button(
            escape_markdown(name),
            key=f"served_model_{place}",
            on_click=choose_model,
            args=(f"{address.partition('#')[0]}#{name}",),
            type="tertiary",
        )


def _suggestions() -> None:
    from playground.models.catalogue import CATALOGUE

    st.caption("Known to work (others than the bundled one are fetched from the hub):")
    for name, entry in CATALOGUE.items():
        st.button(
            escape_markdown(name),
            key=f"suggest_{name}",
            on_click=choose_model,
            args=(name,),
            help=entry.note,
            type="tertiary",
        )
