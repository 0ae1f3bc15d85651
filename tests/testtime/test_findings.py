"""What is said of the rules is about rules that exist, and every sentence has a source."""

from __future__ import annotations

from typing import get_args

import pytest

from playground.testtime.findings import FINDINGS, Finding
from playground.testtime.registry import SCORERS
from playground.testtime.rules import RuleKind


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: finding.topic)
def test_a_finding_has_a_source_and_is_about_something_there_is(finding: Finding) -> None:
    subjects = {*SCORERS, *get_args(RuleKind), "coverage", "cost", "best score"}
    assert finding.about and set(finding.about) <= subjects
    assert finding.sources and finding.checked.endswith(".")
    assert not finding.notes or finding.notes.endswith(".")


def test_the_rules_that_mislead_most_have_one() -> None:
    about = {name for finding in FINDINGS for name in finding.about}
    assert {"avg-logprob", "sum-logprob", "judge", "reward", "majority", "coverage"} <= about
