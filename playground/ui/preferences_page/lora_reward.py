"""Of section "Reward model": one with LoRA on the same votes, trained in the line of all trainings."""

from __future__ import annotations

import streamlit as st

from playground.charts.curves_bands import bands_description, bands_figure
from playground.charts.preferences_dpo import measured, rewards_bands
from playground.engine.serving.worker import Worker
from playground.training.settings import TrainSettings
from playground.ui.kit.job_view import watch
from playground.ui.kit.messages import problems_shown_here, show_problem
from playground.ui.kit.pictures import show_figure
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


def lora_reward_part(worker: Worker) -> None:
    """A reward model with LoRA on the same votes: minutes instead of seconds, and it may change what it reads."""
    own = pair_training("reward")
    if own.problem:
        show_problem(own.problem)
    with problems_shown_here():
        pairs = pairs_of(opened())
        start_button(
            worker,
            own,
            f"Train a LoRA reward model on {len(pairs):,} pairs",
            key="preferences_lora_start",
            main=False,
            about=None,
            settings=lambda: TrainSettings.of("reward"),
        )
        show_pair_notes(opened())
    choose_training("reward", worker)
    watch(own, lambda: _lora_curves(own), key="preferences_lora", changes=lambda: own.busy, every=PAIR_LOOK_S)
    look_on("reward")


def _lora_curves(own: PairTraining) -> None:
    pair_progress("reward", own)
    measured_steps, held_out = measured(own.steps)
    if measured_steps:
        bands = rewards_bands(measured_steps)
        show_figure(bands_figure(bands), bands_description(bands), key="preferences_lora_rewards")
        where, (point, _step, numbers) = (
            heldout_words(own) if held_out else "the step's own pairs",
            spoken_of(own, measured_steps),
        )
        st.markdown(f"At {point} it agrees with {numbers.accuracy:.0%} of {where}.")
    folder = own.kept.folder if own.kept is not None and not own.busy else None
    if folder is not None:
        st.caption("In Best-of-N and on any command it is the rule")
        st.code(f"reward:{folder}", language=None)
