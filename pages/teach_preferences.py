"""The Preferences page: votes on answers, strengths and a reward from them, and what comes of choosing by it."""

from playground.engine.api import Hidden, Rows, Stream
from playground.state.preferences import PreferencesState
from playground.ui.kit.page import PageSpec, Section
from playground.ui.preferences_page.bar import ballot_bar, export_votes
from playground.ui.preferences_page.dpo import dpo_section
from playground.ui.preferences_page.experiments import EXPERIMENTS, begin_experiment
from playground.ui.preferences_page.groups import groups_section, load_groups
from playground.ui.preferences_page.over import load_over, over_section
from playground.ui.preferences_page.reward import load_reward_if_voted, reward_section
from playground.ui.preferences_page.strengths import strengths_section
from playground.ui.preferences_page.vote import vote_section
from playground.ui.workspace.model import loaded_model

PAGE = PageSpec(
    name="teach_preferences",
    group="Teach",
    title="Preferences",
    icon=":material/thumbs_up_down:",
    about="From votes on answers to a reward, and what comes of choosing by it.",
    sentence="What people prefer, what a reward learns from it, and where choosing by it goes wrong.",
    needs=((Rows, Stream),),
    view=loaded_model,
    state=PreferencesState,
    experiments=EXPERIMENTS,
    begin=begin_experiment,
    text=ballot_bar,
    sections={
        "vote": Section("Vote", vote_section),
        "strengths": Section("Strengths", strengths_section),
        "reward": Section("Reward model", reward_section, view=load_reward_if_voted, needs=(Hidden,)),
        "over": Section("Best-of-N under it", over_section, view=load_over, needs=(Hidden,)),
        "dpo": Section("DPO", dpo_section),
        "groups": Section("Whose preference?", groups_section, view=load_groups, needs=(Hidden,)),
    },
    export=export_votes,
)

if __name__ == "__main__":
    from pages import show_page

    show_page("teach_preferences")
