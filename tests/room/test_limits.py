"""What one visitor of a shared server may ask for: read from the environment, each refusal one sentence with the number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields

import pytest

from playground.errors import BadInput, LimitReached
from playground.room.limits import UNLIMITED, Limits, is_shared_server, present_limits, read_limits, set_limits


@pytest.fixture(autouse=True)
def _as_the_environment_says() -> Iterator[None]:
    yield
    set_limits(None)


@pytest.mark.parametrize("value", ["", "0", "false", "No", " off "])
def test_ones_own_machine_has_no_limits(value: str) -> None:
    assert not is_shared_server({"PLAYGROUND_SHARED": value}) and not is_shared_server({})
    assert present_limits({"PLAYGROUND_SHARED": value, "PLAYGROUND_LIMITS": "rows=1"}) == UNLIMITED


def test_a_shared_server_has_those_of_the_environment_until_the_leader_sets_others() -> None:
    environment = {"PLAYGROUND_SHARED": "1", "PLAYGROUND_LIMITS": " rows = 64,new_tokens=100, "}
    assert present_limits(environment) == Limits(rows=64, new_tokens=100)
    assert present_limits({"PLAYGROUND_SHARED": "yes"}) == Limits()
    set_limits(Limits(tabs=1))
    assert present_limits(environment) == Limits(tabs=1)
    assert present_limits({}) == UNLIMITED


@pytest.mark.parametrize(
    "text", ["rows", "rows=", "rows=0", "rows=-1", "rows=1e3", "rows=²", "rows=9999999", "x=1", "=1"]
)
def test_limits_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="PLAYGROUND_LIMITS"):
        read_limits(text)


CHECKS: dict[str, tuple[Callable[[Limits, int], None], int]] = {  # the check, and by how much the number itself is over
    "tabs": (Limits.check_tabs, 1),
    "queued": (Limits.check_queued, 0),
    "rows": (Limits.check_rows, 1),
    "new_tokens": (Limits.check_new_tokens, 1),
    "prompt_tokens": (Limits.check_prompt, 1),
    "runs": (Limits.check_runs, 0),
}


@pytest.mark.parametrize("name", CHECKS)
def test_each_limit_is_kept_and_says_its_number(name: str) -> None:
    assert set(CHECKS) == {field.name for field in fields(Limits)} - {"address_tabs"}, "which the server itself keeps"
    check, over = CHECKS[name]
    limits = read_limits(f"{name}=1234")
    check(limits, 1234 + over - 1)
    with pytest.raises(LimitReached, match=r"1,234 .*[^.]\.$") as refused:
        check(limits, 1234 + over)
    assert str(refused.value).count(". ") == 0
    check(UNLIMITED, 10**9)
