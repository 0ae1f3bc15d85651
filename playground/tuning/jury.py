"""What judges' votes on settings allow to be said: strengths, agreement, each judge's leaning to a side, both bad, the control.

All of it may be looked at while votes come in. Knows judgements and votes, no texts, no store and no page.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from playground.downloads import csv_text, harmless
from playground.preferences.agreement import Agreement, measure_agreement
from playground.preferences.asking import Outlook
from playground.preferences.judges import PositionBias, measure_position_bias
from playground.preferences.settling import PairVerdict, judge_pairs
from playground.preferences.shares import Share, share_of
from playground.preferences.votes import Vote
from playground.preferences.votes_file import NEEDED, OPTIONAL, UNDECIDED
from playground.tuning.judging import Judgement, Material, outlook, votes_to_fit
from playground.tuning.plan import CONTROL

INSTRUCTGPT_AGREEMENT = 0.73  # labelers of Ouyang et al. 2022, "Training language models to follow instructions"


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """``votes`` on settings by judges who are not left out; ``of_room`` of them come from a room. ``same``: ties of equal texts,
    which are fitted beside them. ``agreement`` and ``judges`` are of what was asked. ``both_bad``: by setting, of its votes.
    ``control``: the present setting's second run against it, None while nobody was asked.
    """

    outlook: Outlook
    votes: int
    of_room: int
    same: int
    agreement: Agreement
    judges: tuple[PositionBias, ...]
    both_bad: dict[str, Share]
    control: PairVerdict | None

    @property
    def control_differs(self) -> bool:
        """Whether judges prefer one of two runs of one setting: then nothing is to be claimed."""
        return self.control is not None and self.control.verdict in ("first", "second")


def standing_of(
    material: Material,
    judgements: Sequence[Judgement],
    *,
    of_room: Sequence[Vote] = (),
    left_out: Collection[str] = (),
) -> Standing:
    """``left_out``: judges whose votes are not counted; how they lean is said all the same."""
    counted = [each for each in judgements if each.judge not in left_out]
    asked = votes_to_fit(each for each in counted if each.verdict != "same")
    votes = [*votes_to_fit(counted), *of_room]
    on_control = [vote for vote in asked if CONTROL in vote.pair]
    everybody = votes_to_fit(each for each in judgements if each.verdict != "same")
    return Standing(
        outlook=outlook(material, votes),
        votes=sum(CONTROL not in vote.pair for vote in (*asked, *of_room)),
        of_room=len(of_room),
        same=sum(each.verdict == "same" and CONTROL not in each.unit.pair for each in counted),
        agreement=measure_agreement(asked),
        judges=measure_position_bias(everybody),
        both_bad={arm: _both_bad(arm, asked) for arm in material.settings},
        control=judge_pairs(on_control)[0] if on_control else None,
    )


def _both_bad(arm: str, votes: Sequence[Vote]) -> Share:
    own = [vote for vote in votes if arm in vote.pair]
    return share_of(sum(vote.outcome == "both_bad" for vote in own), len(own))


def progress_sentence(ahead: Outlook, votes: int, *, named: bool) -> str:
    """How many votes there are and how many more would settle what; ``named``: with the settings' names."""
    said = f"{votes:,} vote{'' if votes == 1 else 's'}"
    if not ahead.open:
        return f"{said}; {settled_sentence(ahead) if named else 'what can be settled is settled: thank you.'}"
    first = ahead.open[0]
    if first.more is None:
        return f"{said}; at this share {_between(first.leader, first.other, named)} will not be settled by votes."
    until = f"about {first.more:,} more would settle {_between(first.leader, first.other, named)}"
    if len(ahead.open) > 1:
        whole = "more than 100,000" if ahead.more is None else f"{ahead.more:,}"
        until += f", {whole} which of all is best"
    return f"{said}; {until}."


def settled_sentence(ahead: Outlook) -> str:
    """Which setting judges prefer, where nothing open could change it."""
    if ahead.leader is None:
        return "each setting loses against another, so none is best."
    beaten, level = list[str](), list[str]()
    for pair, verdict in ahead.verdicts.items():
        if ahead.leader in pair:
            other = pair[pair[0] == ahead.leader]
            (level if verdict == "level" else beaten).append(other)
    parts = [f"{ahead.leader} is preferred to {', '.join(beaten)}"] if beaten else []
    parts += [f"{ahead.leader} and {', '.join(level)} are level"] if level else []
    return f"settled: {'; '.join(parts)}." if parts else "there is nothing to compare."


def against_present(standing: Standing, present: str) -> list[str]:
    """Of each setting with votes, how often it is preferred to the present one among decided votes, by the fitted strengths;
    intervals as of these. Nothing before the present one was judged.
    """
    fitted = standing.outlook.fitted
    names = [] if fitted is None else [item.name for item in fitted.items if item.name != CONTROL]
    if fitted is None or present not in names:
        return []
    said = []
    for name in names:
        if name != present:
            share, low, high = (1 / (1 + math.exp(-value)) for value in fitted.difference(name, present))
            said.append(
                f"{name!r} is preferred to {present!r} in {share:.0%} of decided votes (95%: {low:.0%} to {high:.0%})."
            )
    return said


def control_sentence(standing: Standing) -> str | None:
    """What judges made of two runs of one setting; None while nobody was asked."""
    control = standing.control
    if control is None:
        return None
    said = (
        f"Unknown to the judges the present setting was compared with its own second run: {control.wins} to {control.losses}, "
        f"{control.ties} undecided"
    )
    if standing.control_differs:
        return f"{said}. They prefer one of two runs of one setting, so what they prefer here is no merit of a setting."
    return f"{said}; that is what chance gives."


def _between(leader: str, other: str, named: bool) -> str:
    return f"{leader} vs {other}" if named else "the pair at hand"


def agreement_sentence(agreement: Agreement) -> str:
    """How often two judges said the same of the same texts, beside what is known of paid labelers."""
    if agreement.share is None:
        return "No two judges have judged the same texts yet."
    alpha = (
        "" if agreement.alpha is None else f"; Krippendorff's alpha {agreement.alpha:.2f} (1 full agreement, 0 chance)"
    )
    return (
        f"Two judges said the same in {agreement.share:.0%} of cases, on {agreement.units} shared comparisons{alpha}. "
        f"InstructGPT's trained labelers agreed in about {INSTRUCTGPT_AGREEMENT:.0%}."
    )


def votes_csv(votes: Iterable[Vote]) -> str:
    """Votes as a file that ``votes fit`` reads, safe in a spreadsheet; a setting called as an outcome gets a longer name."""

    def named(setting: str) -> str:
        return harmless(f"{setting} (setting)" if setting.lower() in UNDECIDED else setting)

    rows = [
        (
            named(vote.left),
            named(vote.right),
            named(vote.winner) if vote.winner else vote.outcome.replace("_", " "),
            *(harmless(text) for text in (vote.voter, vote.group, vote.subject)),
        )
        for vote in votes
    ]
    return csv_text((*NEEDED, *OPTIONAL), rows)
