"""Whether a server answers: a refusal is an answer, an error or silence is none."""

from __future__ import annotations

import pytest

from playground.engine.remote.alive import check_answers
from playground.errors import ServerError
from tests.engine.remote.standin import Reply, running


def test_a_list_or_a_refusal_is_an_answer() -> None:
    for status in (200, 401, 404, 429):
        with running({"/v1/models": lambda asked, status=status: Reply({}, status)}) as server:  # type: ignore[misc]
            check_answers(server.base)
            assert "Authorization" not in server.asked[0].headers


def test_an_error_or_nobody_is_none() -> None:
    with running({"/v1/models": lambda asked: Reply({}, 503)}) as server:
        with pytest.raises(ServerError, match=r"answers with an error \(503\)"):
            check_answers(server.base)
        gone = server.base
    with pytest.raises(ServerError, match=r"does not answer \(ConnectError\): see that it runs"):
        check_answers(gone)
