"""What the page Preferences can be set to beside the shared setup: which ballot is open, and what its tabs show."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playground.errors import BadInput
from playground.preferences.text_features import TEXT_FEATURES
from playground.state.link_fields import link_field, one_of, real, text, texts, whole

MOST_RUNS = 12
OTHER_VOTES = "other votes"
_ID = re.compile(r"[a-f0-9]{32}")


def _read_id(given: str) -> str:
    if given and not _ID.fullmatch(given):
        raise BadInput("The link's ballot is no name of one; none is opened.", "ballot")
    return given


@dataclass(frozen=True, slots=True)
class PreferencesState:
    """``ballot``: the id of the kept ballot in view; "" for the newest, or the answers that ship.

    ``question``: which prompt's answers Strengths shows where it shows answers, from 1. ``strength_of``: what is compared there.
    ``penalty``: the ridge penalty of the reward head. ``runs``: the Best-of-N runs that are chosen from. ``judge``: what judges
    the chosen, see ``preferences_page/judges``. ``flaw``: a feature that is added to the reward on purpose, ``weight`` times.
    """

    ballot: str = link_field("", _read_id)
    strength_of: str = one_of(
        "names", {"names": "Who wrote them", "answers": "Answers to one prompt"}, name="of", label="Strengths of"
    )
    question: int = whole(1, 1, 4_000, name="question", label="Prompt")
    penalty: float = real(
        1.0,
        0.001,
        1_000.0,
        label="Penalty",
        help="Weight of the squared head beside the loss (ridge). More holds the head back where votes are few.",
    )
    runs: tuple[str, ...] = texts(most=MOST_RUNS, each=_read_id, label="Runs of Best-of-N", placeholder="Choose one")
    judge: str = text(
        OTHER_VOTES,
        200,
        name="judged",
        label="Second judgement",
        help="What did not teach the reward, and judges what it chooses.",
    )
    flaw: str = one_of("", {"": "none", **{name: name for name in TEXT_FEATURES}}, label="Planted flaw")
    weight: float = real(1.0, -5.0, 5.0, step=0.25, label="Weight of the flaw")
