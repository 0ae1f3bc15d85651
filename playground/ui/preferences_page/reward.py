"""Section "Reward model": a head on the model's own hidden states, what it is worth on unseen votes, and what it likes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from playground.charts.curves_bands import bands_description, bands_figure
from playground.charts.preferences_reward import (
    calibration_data,
    calibration_description,
    calibration_figure,
    learning_bands,
    liking_data,
    liking_description,
    liking_figure,
)
from playground.engine.api import CancelToken, Engine
from playground.engine.serving.worker import Worker
from playground.preferences.examined import ExaminedHead, accuracy_sentence, examine_head
from playground.preferences.heads import HeadStore
from playground.preferences.kept import KeptBallot
from playground.preferences.reward import decided_votes
from playground.state.best_of_n import MOST_RULES, BestOfNState
from playground.state.preferences import PreferencesState
from playground.store.place import data_folder
from playground.ui.kit import session
from playground.ui.kit.jobs import result_of
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import problems_shown_here, why_it_matters
from playground.ui.kit.pictures import show_figure
from playground.ui.kit.widgets import Bound
from playground.ui.preferences_page.lora_reward import lora_reward_part
from playground.ui.preferences_page.no_votes import no_votes_yet
from playground.ui.preferences_page.session import attempt, opened
from playground.ui.preferences_page.states import states_of
from playground.ui.runtime import session_id
from playground.ui.visitor import owner_id
from playground.ui.workspace.model import loaded_model
from playground.ui.workspace.shared import is_guest


@dataclass(frozen=True, slots=True, eq=False)
class RewardView:
    """The ballot in view and what a head of the model in use makes of its votes."""

    worker: Worker
    kept: KeptBallot
    head: ExaminedHead
    penalty: float


@dataclass(eq=False)
class _Examined:
    """The last head, and of what: a redrawn picture fits nothing."""

    key: object = None
    head: ExaminedHead | None = None


@dataclass(eq=False)
class Saving:
    """Where the last head was saved as a folder, and the head that is being saved."""

    wanted: str = ""
    folder: str = ""


def load_reward_if_voted() -> RewardView | None:
    """None before the first vote."""
    return load_reward() if opened().verdicts else None


def load_reward() -> RewardView:
    """Raises Pending while the model reads the answers, and BadInput where nobody was preferred."""
    worker, kept = loaded_model(), opened()
    penalty = session.get(PreferencesState).penalty
    decided_votes(kept.ballot, kept.verdicts)  # refuses before the model reads anything
    features = states_of(worker, "preferences-states", [(answer.prompt, answer.text) for answer in kept.ballot.answers])
    cached = session.get(_Examined)
    key = worker.engine.info.revision, kept.id, kept.verdicts, penalty
    if cached.head is None or cached.key != key:
        cached.head, cached.key = examine_head(kept.ballot, kept.verdicts, features, penalty), key
    return RewardView(worker, kept, cached.head, penalty)


def reward_section(view: RewardView | None) -> None:
    """Accuracy first, then the pictures, then what can be done with it."""
    if view is None:
        no_votes_yet(
            "Here a **reward model** will stand: it gives any answer a number, so that the preferred one of two has the higher. "
            "You will see how often it agrees with votes that it has not seen, and what it has really learnt to like.",
            "reward",
        )
        return
    head = view.head
    with st.container(horizontal=True, vertical_alignment="bottom", key="phone_last_reward"):
        Bound(PreferencesState).number("penalty", width=160)
        _use(view)
    st.markdown(escape_markdown(accuracy_sentence(head)))
    left, right = st.columns(2, gap="medium")
    with left:
        if head.curve is None:
            st.caption("A learning curve takes at least eight votes on four prompts or pairs.")
        else:
            bands = learning_bands(head.curve, head.by_length)
            show_figure(bands_figure(bands), bands_description(bands), key="preferences_learning")
            st.caption(f"Mean and middle 95% of {head.curve.repeats} draws of which quarter is held out.")
    with right:
        if head.calibration is not None:
            data = calibration_data(head.calibration)
            show_figure(calibration_figure(data), calibration_description(data), key="preferences_calibration")
            st.caption(
                f"Held-out votes by the probability given to what stood first; mean distance from the line {data.error:.1%}."
            )
    st.markdown("##### What it likes")
    likes = liking_data(head.likings)
    if likes.names:
        show_figure(liking_figure(likes), liking_description(likes), key="preferences_likings")
        st.caption(
            "How far the reward goes along with a plain feature, ranked within each prompt's answers, with 95% intervals."
        )
    _best_and_worst(view)
    with st.expander(
        "A LoRA reward model, in minutes", icon=":material/school:", on_change="rerun", key="preferences_lora_box"
    ) as box:
        if box.open:
            lora_reward_part(view.worker)
    why_it_matters(
        f"r = w · h with h what {escape_markdown(view.worker.engine.info.name)}'s own head reads at the answer's end; w makes "
        "−log σ(r(winner) − r(loser)) small. The reward is no truth: it repeats what tells these winners from these losers, and "
        "where all winners are short it has learnt to count. A correlation says that it goes along with a feature, not that it "
        "reads it.",
        "Reward model",
        "Reward head",
    )


def _best_and_worst(view: RewardView) -> None:
    """The prompt whose answers the reward tells apart most: its best and its worst side by side."""
    rewards = view.head.rewards
    places = max(view.kept.ballot.questions, key=lambda own: float(np.ptp(rewards[list(own)])))
    ordered = sorted(places, key=lambda place: float(rewards[place]))
    mean = float(rewards[list(places)].mean())
    st.markdown(f"**{escape_markdown(view.kept.ballot.answers[places[0]].prompt)}**")
    for column, place, word in zip(st.columns(2), (ordered[-1], ordered[0]), ("Highest", "Lowest"), strict=True):
        with column, st.container(border=True, height=190):
            st.caption(f"{word} reward: {float(rewards[place]) - mean:+.2f} from this prompt's mean")
            st.text(view.kept.ballot.answers[place].text or "(empty)")


# -- what can be done with it ----------------------------------------------------------------------------------------------


def _use(view: RewardView) -> None:
    st.button(
        "Use it in Best-of-N",
        key="preferences_keep_head",
        type="primary",
        icon=":material/dynamic_feed:",
        help="Keeps the head and puts it among the rules of the page Best-of-N.",
        on_click=attempt(_persist),
        args=(view,),
    )
    if not is_guest():
        st.button(
            "Save as a model",
            key="preferences_save_head",
            icon=":material/save:",
            help="A sequence-classification folder that AutoModelForSequenceClassification loads; for the rule reward:FOLDER.",
            on_click=attempt(_want_saved),
            args=(view,),
        )
    with problems_shown_here():
        _saved(view)


def _persist(view: RewardView) -> None:
    label = f"reward-head:{keep_head(view)}"
    rules = session.get(BestOfNState).rules
    session.change(BestOfNState, rules=(*rules[: MOST_RULES - 1], label))
    st.toast("It is among the rules of the page Best-of-N now.", icon=":material/check:")


def keep_head(view: RewardView) -> str:
    """Keep the head in view; its id. The same head is kept once."""
    own, model, weights = HeadStore(owner_id()), view.worker.engine.info.id, view.head.weights.astype(np.float32)
    for head in own.heads():
        if head.model == model and np.array_equal(head.weights, weights):
            return head.id
    return own.add(view.kept.name, model, weights, votes=len(view.head.votes), penalty=view.penalty).id


def _want_saved(view: RewardView) -> None:
    session.put(Saving(wanted=keep_head(view)))


def _saved(view: RewardView) -> None:
    saving = session.get(Saving)
    if saving.wanted:
        from playground.preferences.heads import find_head
        from playground.training.reward_head import save_classifier

        head, target = find_head(saving.wanted), data_folder() / "reward-models" / saving.wanted

        def job(_engine: Engine, _cancel: CancelToken) -> str:
            return str(
                target if (target / "config.json").is_file() else save_classifier(head.model, head.weights, target)
            )

        saving.folder = result_of(
            "preferences-save",
            saving.wanted,
            lambda: view.worker.submit(session_id(), "preferences-save", job),
            "The reward model is written",
        )
    if saving.folder:
        st.caption("Saved; on any command and in Best-of-N it is the rule")
        st.code(f"reward:{saving.folder}", language=None)
