"""Models beside the one in use: named in the setup, loaded only once the reader has agreed.

A link, an experiment or a pin may name one. What is in memory already is taken without a question; anything else is asked
for, with what it needs. Letters X, Y, Z belong to the places in the setup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.charts.numbers import gigabytes
from playground.charts.palette import BESIDE
from playground.engine.serving.loading import Loading, ModelChoice
from playground.errors import BadInput, PlaygroundError
from playground.models.adapters import adapter_words
from playground.models.naming import ComparedModel
from playground.state.setup import MOST_BESIDE
from playground.ui.kit import session
from playground.ui.kit.fragments import CONTROLS, PICTURES, redraw
from playground.ui.kit.messages import escape_markdown, said
from playground.ui.runtime import model_pool, request_model, session_id
from playground.ui.workspace.adapter_access import shares_loaded_weights
from playground.ui.workspace.setup import change, setup
from playground.ui.workspace.shared import model_refusal, refused_loading


class AgreedModels(frozenset[ModelChoice]):
    """What this session has said may be loaded beside its model."""


@dataclass(frozen=True, slots=True)
class _PageChoices:
    """What a page itself compares beside what the setup names: let go of once there is no room for it."""

    choices: tuple[ModelChoice, ...] = ()


class _OwnLoadings(dict[ModelChoice, Loading]):
    """The loadings beside, as this session got them: one that failed stays failed until it is tried again."""


def named() -> dict[str, ComparedModel]:
    """The models beside by letter."""
    return dict(zip(BESIDE, setup().beside, strict=False))


def choice_of(compared: ComparedModel) -> ModelChoice:
    """What the pool is asked for. Raises BadInput for a number format of a served model."""
    shown = setup()
    return model_pool().normalised(ModelChoice(*compared.names(shown.model, shown.device, shown.dtype)))


def loadings(stopped: ModelChoice | None = None) -> dict[str, Loading | None]:
    """The loading of each letter, started where it may be; None: the reader has to agree first.

    What is not named any more is let go of, and what has been ``stopped``.
    """
    pool, own_loadings = model_pool(), session.get(_OwnLoadings)
    choices = {letter: choice_of(compared) for letter, compared in named().items()}
    may = (session.get(AgreedModels) | {*pool.asked_for()}) - {stopped}
    refused = {one: refused_loading(why, one) for one in choices.values() if (why := model_refusal(one))}
    wanted = [
        choice
        for choice in dict.fromkeys(choices.values())
        if choice not in refused
        and (
            choice in may or _failed(own_loadings.get(choice)) or (choice != stopped and shares_loaded_weights(choice))
        )
    ]
    failed = {choice: own_loadings[choice] for choice in wanted if _failed(own_loadings.get(choice))}
    asked = [choice for choice in wanted if choice not in failed]
    own = [one for one in session.get(_PageChoices).choices if one not in asked][: MOST_BESIDE - len(asked)]
    failed |= {choice: own_loadings[choice] for choice in own if _failed(own_loadings.get(choice))}
    asked += [choice for choice in own if choice not in failed]
    current = _OwnLoadings(refused | failed | dict(zip(asked, pool.beside(session_id(), asked), strict=True)))
    session.put(current)
    return {letter: current.get(choice) for letter, choice in choices.items()}


def page_loadings(choices: Sequence[ModelChoice]) -> list[Loading]:
    """The loadings of what a page itself compares, beside what is pinned; the session's own model is not loaded twice.

    Raises BadInput where too many are pinned.
    """
    own_choice = model_pool().normalised(ModelChoice(setup().model, setup().device, setup().dtype))
    session.put(_PageChoices(tuple(dict.fromkeys(choice for choice in choices if choice != own_choice))))
    loadings()
    own_loadings, requested = session.get(_OwnLoadings), list[Loading]()
    for choice in choices:
        if choice != own_choice and choice not in own_loadings:
            raise BadInput(f"{MOST_BESIDE} models are pinned beside the one in use: drop one to compare here.", "model")
        requested.append(request_model(choice) if choice == own_choice else own_loadings[choice])
    return requested


def _failed(loading: Loading | None) -> bool:
    return loading is not None and loading.done.is_set() and loading.error is not None and not loading.cancelled


def let_go_of_unnamed() -> None:
    """At a page's start: an experiment or a link may have put other models in the place of those that were beside."""
    if session.get(_OwnLoadings):
        try:
            loadings()
        except PlaygroundError:
            model_pool().beside(session_id(), [])


# -- what the reader does ----------------------------------------------------------------------------------------------


def agree(letter: str) -> None:
    """Load the model of a letter, or try once more."""
    choice = choice_of(named()[letter])
    session.get(_OwnLoadings).pop(choice, None)
    session.put(AgreedModels(session.get(AgreedModels) | {choice}))
    redraw(PICTURES)


def stop(letter: str) -> None:
    """Stop loading the model of a letter: it is asked for again."""
    choice = choice_of(named()[letter])
    session.put(AgreedModels(session.get(AgreedModels) - {choice}))
    loadings(stopped=choice)


def drop(letter: str) -> None:
    """Let a model go; the later ones move up."""
    dropped = named().get(letter)
    change(beside=tuple(one for one in setup().beside if one != dropped))
    let_go_of_unnamed()
    redraw(PICTURES, CONTROLS)


def label(compared: ComparedModel) -> str:
    """A model beside in words; plain text."""
    reading = {None: "", True: ", in its chat template", False: ", raw text"}[compared.chat]
    places = " ".join(filter(None, (compared.device, compared.dtype)))
    return (
        (adapter_words(compared.spec) or compared.spec or "the model in use")
        + (f" in {places}" if places else "")
        + reading
    )


def need_sentence(compared: ComparedModel) -> str:
    """What it would take of which memory, as far as that is known without fetching it. Markdown-safe."""
    from playground.models.listing import place

    choice = choice_of(compared)
    if refusal := model_refusal(choice):
        return escape_markdown(refusal)
    if choice in model_pool().asked_for():
        return "It is in memory already."
    try:
        placed = place(choice.spec, choice.device, choice.dtype)
    except PlaygroundError as error:
        return said(error)
    if shares_loaded_weights(choice):
        return "It uses the weights that are in memory already."
    if placed is None:
        return "It runs at its server and takes no memory here."
    need, placement = placed
    return (
        f"It needs about {gigabytes(need.total_bytes)} in {placement.dtype}; {placement.device} has "
        f"{gigabytes(model_pool().free_bytes(placement))} free."
    )
