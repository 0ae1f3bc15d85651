"""Section "DPO": the same votes taught to the model itself, what that does to both answers, and PPO, which is not built here."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from playground.charts.curves_bands import bands_description, bands_figure
from playground.charts.numbers import gigabytes
from playground.charts.preferences_dpo import accuracy_bands, logps_bands, loss_bands, measured, rewards_bands
from playground.charts.preferences_ppo import PPO_SAID, ppo_svg
from playground.engine.api import Weights
from playground.engine.facets import require
from playground.engine.serving.worker import Worker
from playground.preferences.overoptimisation import n_of
from playground.preferences.ppo import METHODS
from playground.training.demonstrations import Demonstration
from playground.training.pairs import Pair
from playground.training.runs import KeptTraining
from playground.training.settings import TrainSettings, read_train_settings
from playground.training.split import split
from playground.ui.examples_page.moved import Taught, show_moved
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES
from playground.ui.kit.job_view import watch
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import problems_shown_here, show_problem, why_it_matters
from playground.ui.kit.pictures import show_figure
from playground.ui.kit.session import bind_widget
from playground.ui.preferences_page.equal_kl import equal_kl_part
from playground.ui.preferences_page.no_votes import no_votes_yet
from playground.ui.preferences_page.pair_progress import PAIR_LOOK_S, look_on, pair_progress
from playground.ui.preferences_page.pair_training import (
    PairTraining,
    choose_training,
    heldout_words,
    pair_training,
    pairs_of,
    show_pair_notes,
    spoken_of,
    start_button,
)
from playground.ui.preferences_page.session import opened


@dataclass(frozen=True, slots=True)
class DpoDraft:
    """What is not trained yet."""

    settings: TrainSettings = TrainSettings.of("dpo")
    looks: bool = False


def dpo_section(worker: Worker) -> None:
    """Settings and the button; the curves; before and after; then PPO."""
    kept, own = opened(), pair_training("dpo")
    if own.problem:
        show_problem(own.problem)
    with st.container(key="phone_last_dpo"):
        if kept.verdicts:
            with problems_shown_here():
                require(worker.engine, Weights)
                pairs = pairs_of(kept)
                _controls(worker, len(pairs), own)
                show_pair_notes(kept)
        else:
            no_votes_yet(
                "**DPO** (direct preference optimisation) teaches the model itself to make the preferred answer of a pair "
                "likelier than the other, without a reward model between. You will see both answers' log-probabilities move, "
                "and how far the model goes from where it began.",
                "dpo",
            )
        choose_training("dpo", worker)
    watch(own, lambda: _curves(own), key="preferences_dpo", changes=lambda: own.busy, every=PAIR_LOOK_S)
    look_on("dpo")
    if own.kept is not None and not own.busy and own.kept.folder is not None:
        _before_and_after(own.kept)
        equal_kl_part(own.kept)
    why_it_matters(
        "DPO needs no reward model and no sampling: β · (log π − log π_start) of an answer is its implicit reward, and the "
        "loss is "
        "−log σ(winner's − loser's), as a reward head's. What it fixes is the difference alone: often both log-probabilities "
        "fall, "
        "the loser's faster, and the freed probability goes to answers that nobody voted on.",
        "DPO",
        "Preference pair",
    )
    with st.expander("PPO, which is not built here", icon=":material/account_tree:"):
        _ppo(worker)


def _controls(worker: Worker, pairs: int, own: PairTraining) -> None:
    draft = session.get(DpoDraft)
    settings = draft.settings

    def number(field: str, label: str, about: str, low: float, high: float, step: float) -> None:
        current = getattr(settings, field)
        kind = int if isinstance(current, int) else float

        def write(value: object) -> tuple[str, ...]:
            changed = read_train_settings({**settings.values(), field: kind(str(value))})
            session.put(replace(draft, settings=changed))
            return (PICTURES,)

        key = f"preferences_dpo_{field}"
        st.number_input(
            label,
            kind(low),
            kind(high),
            current,
            kind(step),
            format="%g" if kind is float else None,
            key=key,
            help=about,
            width=150,
            on_change=bind_widget(key, current, write),
        )

    with st.container(horizontal=True, vertical_alignment="bottom"):
        number(
            "beta",
            "β",
            "How much leaving the start costs: small β lets the model go far (TRL's default is 0.1).",
            0.01,
            5,
            0.05,
        )
        number("epochs", "Epochs", "How often each pair is seen.", 1, 20, 1)
        number("learning_rate", "Learning rate", "Of the LoRA adapter, rank 8.", 1e-5, 1e-2, 1e-4)
        start_button(
            worker,
            own,
            f"Train on {pairs:,} pairs",
            key="preferences_dpo_start",
            main=True,
            about="Ties are left out. The adapter is kept and can be chosen on every page; others go on sampling meanwhile.",
            settings=lambda: session.get(DpoDraft).settings,
        )


def _curves(own: PairTraining) -> None:
    pair_progress("dpo", own)
    measured_steps, held_out = measured(own.steps)
    if not measured_steps:
        return
    st.markdown(escape_markdown(_sentence(own, held_out)))
    where = f"of {heldout_words(own)}" if held_out else "of the step's own pairs"
    pictures = {
        "rewards": (
            f"Implicit rewards {where}: β times how much likelier an answer is now than at the start, in nats",
            rewards_bands(measured_steps),
        ),
        "logps": (f"What became of both log-probabilities {where}", logps_bands(measured_steps)),
        "accuracy": (
            f"Accuracy {where}: how often the winner's implicit reward is the higher one",
            accuracy_bands(measured_steps),
        ),
        "loss": ("Loss: ln 2 = 0.693 says that nothing is known of who wins", loss_bands(own.steps)),
    }
    for row in (("rewards", "logps"), ("accuracy", "loss")):
        for column, name in zip(st.columns(2, gap="medium"), row, strict=True):
            title, bands = pictures[name]
            if bands is not None:
                with column:
                    st.caption(title)
                    show_figure(bands_figure(bands), bands_description(bands), key=f"preferences_dpo_{name}")


def _sentence(own: PairTraining, held_out: bool) -> str:
    """Loss, accuracy, margin, KL, and best-of-N at the same KL."""
    measured_steps, _held = measured(own.steps)
    before, (point, step, after) = measured_steps[0][1], spoken_of(own, measured_steps)
    where = heldout_words(own) if held_out else "the step's own pairs, since too few are there to hold some out"
    loss = next((each.heldout if held_out else each.loss for each in own.steps if each.step == step), None)
    said = f"At {point} on {where}: the winner has the higher implicit reward in {after.accuracy:.0%}"
    said += f", margin {after.margin:+.3f}"
    if loss is not None:
        said += f"; loss {loss:.3f} nats (ln 2 = 0.693 at the start)"
    if after.logps_chosen is not None and before.logps_chosen is not None:
        won = after.logps_chosen - before.logps_chosen
        lost = (after.logps_rejected or 0.0) - (before.logps_rejected or 0.0)
        both = "both fell" if won < 0 and lost < 0 else "they went apart" if won > 0 > lost else "see the curves"
        said += f"; log-probability of winners {won:+.2f}, of losers {lost:+.2f} nats: {both}"
    if after.kl is not None:
        said += f"; KL to the start {after.kl:.4f} nats a token"
        tokens = _answer_tokens(own)
        if tokens:
            kl = after.kl * tokens
            n = n_of(kl)
            said += (
                f", about {kl:.2f} nats an answer of {tokens:.0f} tokens, the KL of best-of-N at N ≈ {n:,.1f} "
                "(the switch below measures both)"
            )
    return said + "."


def _answer_tokens(own: PairTraining) -> float:
    """Mean tokens of an answer, by the four characters that a token has in English."""
    rows = [] if own.kept is None else [row for row in own.kept.rows if isinstance(row, Pair)]
    return sum(len(row.chosen) for row in rows) / len(rows) / 4 if rows else 0.0


def _before_and_after(kept: KeptTraining) -> None:
    draft = session.get(DpoDraft)

    def write(value: object) -> tuple[str, ...]:
        session.put(replace(draft, looks=bool(value)))
        return (PICTURES,)

    st.toggle(
        "Before and after",
        draft.looks,
        key="preferences_dpo_looks",
        on_change=bind_widget("preferences_dpo_looks", draft.looks, write),
        help="The model with and without the adapter on the same prompts, as under Examples.",
    )
    if not draft.looks or kept.folder is None:
        return
    rows = tuple(row for row in kept.rows if isinstance(row, Pair))
    parts = split(rows, kept.settings.heldout_share, kept.settings.seed)
    train, held = (
        tuple(dict.fromkeys(Demonstration(row.prompt, row.chosen, row.system) for row in part))
        for part in (parts.train, parts.heldout)
    )
    with problems_shown_here():
        show_moved(Taught(kept.folder.name, kept.summary.name, train, held, kept.settings.chat))


def _ppo(worker: Worker) -> None:
    with st.container(key="drawing_ppo"):
        st.image(ppo_svg(), width="stretch", alt=PPO_SAID)
    st.markdown(
        "Proximal policy optimisation samples an answer, scores it with the reward model, takes β times the KL to the start off, "
        "and moves the policy a clipped step towards what turned out better than the value model expected. InstructGPT "
        "and Llama 2 were made so. It takes four models at once and writes answers all along, so it is not built here."
    )
    parameters = worker.engine.info.parameters
    if parameters:
        rows = [
            {
                "Method": each.name,
                "Trained": each.trained,
                "Frozen": each.frozen,
                "Writes answers": "yes" if each.samples else "no",
                f"Memory for {worker.engine.info.name}": gigabytes(each.bytes_of(parameters)),
            }
            for each in METHODS
        ]
        st.table(rows)
        st.caption(
            "Copies of the model, all parameters trained in mixed precision with Adam (16 bytes a parameter), frozen ones 2; "
            "without "
            "activations. With LoRA, as here, what is trained is a thousandth of that."
        )
