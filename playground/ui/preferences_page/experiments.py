"""The "Try this" buttons of the page Preferences: votes of voters that do not exist, whose wishes are known."""

from __future__ import annotations

from dataclasses import dataclass

from playground.preferences.ready import ready_ballot, varied_ballot
from playground.preferences.synthetic import VOTERS, synthetic_verdicts
from playground.state.preferences import PreferencesState
from playground.ui.kit import session
from playground.ui.kit.page import Experiment
from playground.ui.preferences_page.session import add_ballot, attempt, store

VOTES = 150


@dataclass(frozen=True, slots=True)
class Voters:
    """Who votes on the answers that ship, in an experiment; () opens them without votes. ``varied``: on those of many lengths."""

    names: tuple[str, ...] = ()
    varied: bool = False


EXPERIMENTS: dict[str, Experiment] = {
    "compared": Experiment(
        "Comparisons or scores",
        "Scores from 1 to 7, and pairs",
        "Score a few answers, then vote on pairs of the same. Under Agreement and cost the page says how often two voters gave "
        "the same score, and how often they put two answers in the same order. Change the name to vote as somebody else.",
        section="vote",
        puts=(Voters(),),
    ),
    "order": Experiment(
        "Order should not matter",
        "Elo of the same votes in twenty orders",
        "Each Elo dot is the same votes in another order. Bradley and Terry's strengths are fitted to all at once: no order "
        "changes them.",
        section="strengths",
        puts=(Voters(("tidy",)),),
    ),
    "short": Experiment(
        "What a reward has learnt",
        "150 votes of a voter who prefers the shorter answer",
        "A voter who does not exist preferred the shorter answer 150 times; most answers were cut after one to three sentences. "
        "What the reward likes is stated below: where words and characters stand far to the left, it has learnt to count. "
        "Compare its held-out agreement with the rule that always takes the shorter answer.",
        section="reward",
        puts=(Voters(("brief",), varied=True),),
    ),
    "fooled": Experiment(
        "A reward that is fooled",
        "A flaw is planted: words are worth reward",
        "Press the button that makes answers, or choose runs. The reward was taught by a voter who likes short answers, and is "
        "given a stronger liking of long ones: what it says of the chosen rises with N, and what the voter says of them does "
        "not follow. Take the weight down step by step.",
        state={"judge": "voter: brief", "flaw": "words", "weight": 1.5},
        section="over",
        puts=(Voters(("brief",), varied=True),),
    ),
    "whose": Experiment(
        "Whose preference?",
        "Two groups that want the opposite",
        "One group votes for the shorter answer, one for the longer. Each group's reward agrees with its own votes; the last row "
        "is one reward of everybody, and serves neither.",
        section="groups",
        puts=(Voters(("brief", "thorough"), varied=True),),
    ),
}


def begin_experiment(each: Experiment) -> None:
    """Open the answers that ship with those voters' votes: a ballot of its own, kept once."""
    attempt(_begin)(each)


def _begin(each: Experiment) -> None:
    (voters,) = each.puts
    assert isinstance(voters, Voters)
    name, ballot = f"Try this: {each.label}", varied_ballot() if voters.varied else ready_ballot()
    kept = next((one.id for one in store().ballots() if one.name == name), "")
    if not kept:
        votes = [vote for voter in voters.names for vote in synthetic_verdicts(ballot, VOTERS[voter], VOTES)]
        add_ballot(name, ballot, votes)
        kept = session.get(PreferencesState).ballot
    session.put(PreferencesState(ballot=kept, **each.state))
