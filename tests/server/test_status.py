"""Health, readiness and counts on a small Starlette app behind the guard, through Starlette's own test client."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from playground.errors import BadInput, ModelError
from playground.metrics import count_request, count_tokens, exposition, measure
from playground.server.guard import LOOPBACK, Guard
from playground.server.status import scraping_networks, status_routes


def works() -> None:
    return


def fails() -> None:
    raise ModelError("The server at http://model.example does not answer.")


def client(
    store: Callable[[], None] = works, networks: str = "", asking: str = "127.0.0.1", host: str = "localhost:8501"
) -> TestClient:
    routes = status_routes(
        {"model": works, "store": store}, scraping_networks({"PLAYGROUND_METRICS": networks} if networks else {})
    )
    app = Starlette(routes=routes, middleware=[Middleware(Guard, hosts=LOOPBACK, policy="default-src 'self'")])
    return TestClient(app, base_url=f"http://{host}", client=(asking, 50000))


def samples() -> dict[tuple[str, ...], float]:
    """Each sample by its name and its labels' values."""
    families = text_string_to_metric_families(exposition().decode())
    return {
        (one.name, *(value for _, value in sorted(one.labels.items()))): one.value
        for family in families
        for one in family.samples
    }


def test_probes_are_answered_under_any_host_name() -> None:
    """A probe asks by address; it is told which part fails, and the log why."""
    for host in ("localhost:8501", "198.51.100.7:8501"):
        alive = client(fails, host=host).get("/healthz")
        assert (alive.status_code, alive.json()) == (200, {"alive": True})
        ready = client(host=host).get("/readyz")
        assert (ready.status_code, ready.json()) == (200, {"model": True, "store": True})
    assert alive.headers["x-content-type-options"] == "nosniff"


def test_what_is_not_ready_is_named_and_its_reason_logged(caplog: pytest.LogCaptureFixture) -> None:
    answer = client(fails).get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"model": True, "store": False})
    assert "Not ready (store): The server at http://model.example does not answer." in caplog.text


@pytest.mark.parametrize(
    ("networks", "asking", "host", "headers", "status"),
    [
        ("", "127.0.0.1", "localhost:8501", {}, 200),
        ("", "::1", "[::1]:8501", {}, 200),
        ("", "192.0.2.9", "localhost:8501", {}, 404),
        ("", "127.0.0.1", "evil.example", {}, 404),  # a foreign name that was made to point here
        ("", "127.0.0.1", "localhost", {"x-forwarded-for": "198.51.100.5"}, 404),  # through a proxy on this machine
        ("192.0.2.0/24", "192.0.2.9", "198.51.100.7:8501", {}, 200),
        ("192.0.2.0/24", "192.0.2.9", "198.51.100.7:8501", {"x-forwarded-for": "192.0.2.9"}, 404),
        ("192.0.2.0/24, 198.51.100.3", "198.51.100.4", "localhost", {}, 404),
        ("", "a socket", "localhost", {}, 404),
    ],
)
def test_counts_are_told_on_this_machine_and_where_it_is_said(
    networks: str, asking: str, host: str, headers: dict[str, str], status: int
) -> None:
    answer = client(networks=networks, asking=asking, host=host).get("/metrics", headers=headers)
    assert answer.status_code == status
    assert ("playground_tokens_total" in answer.text) == (status == 200)


def test_networks_that_are_none_are_refused() -> None:
    with pytest.raises(BadInput, match="PLAYGROUND_METRICS: .*192.0.2.0/24"):
        scraping_networks({"PLAYGROUND_METRICS": "everybody"})


def test_requests_tokens_and_errors_are_counted() -> None:
    class Step:
        new_tokens = 3

    before = samples()
    count_request("steps", 0.2, None, cancelled=False)
    count_request("steps", 9.0, ModelError("text of a reader"), cancelled=False)
    count_request("steps", 9.0, ModelError(""), cancelled=True)
    count_tokens(Step())
    count_tokens("a step that says no number")
    after = samples()

    def grown(*key: str) -> float:
        return after[key] - before.get(key, 0.0)

    assert grown("playground_requests_total", "steps", "done") == 1
    assert grown("playground_requests_total", "steps", "error") == 1
    assert grown("playground_requests_total", "steps", "cancelled") == 1
    assert grown("playground_errors_total", "ModelError") == 1
    assert grown("playground_tokens_total") == 3
    assert grown("playground_request_seconds_count", "steps") == 3
    assert grown("playground_request_seconds_bucket", "steps", "0.25") == 1
    assert "text of a reader" not in exposition().decode()


def test_what_is_measured_now_is_asked_at_each_look() -> None:
    measure("test_length", "A test's.", lambda: 2)
    assert samples()[("playground_test_length",)] == 2
    measure("test_length", "A test's.", lambda: 5)
    assert samples()[("playground_test_length",)] == 5
