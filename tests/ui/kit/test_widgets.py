"""What a widget refuses is said as of something typed: the same readers read links, but nobody typed one here."""

from __future__ import annotations

from typing import Any

import pytest

from playground.errors import BadInput
from playground.state.attention import AttentionState
from playground.state.best_of_n import BestOfNState
from playground.state.generate import GenerateState
from playground.state.inside import InsideState
from playground.state.link_fields import link_fields
from playground.state.sampling import SamplingState
from playground.state.setup import Setup
from playground.ui.kit.widgets import Bound

HOSTILE = ("nonsense", "-7", "9" * 30, "\ud800", '["\ud800"]', "x" * 100_001, "{}", "nan", "")


@pytest.mark.parametrize("kind", [AttentionState, BestOfNState, GenerateState, InsideState, SamplingState, Setup])
def test_no_refusal_of_a_field_with_a_widget_speaks_of_a_link(kind: type[Any]) -> None:
    refused = []
    for field in link_fields(kind).values():
        for text in HOSTILE:
            try:
                field.read(text)
            except BadInput as error:
                refused += [str(error)] if field.label else []
            except ValueError:
                pass  # told as "not understood" under the field's label
    assert refused and not [said for said in refused if "link" in said.lower()]


def test_a_refused_value_is_told_under_the_widgets_own_label() -> None:
    with pytest.raises(BadInput, match=r"^Rows: '4000' is not a whole number from 5 to 100\.$"):
        Bound(SamplingState).write("rows", 4_000)
