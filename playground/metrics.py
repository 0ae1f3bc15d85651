"""What is counted of this process, in Prometheus's format: requests to models, how long they took, tokens, errors.

Knows names and numbers: no session, no text, no model. Who can be asked how much there is now (a queue) is told by
``measure``.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_REGISTRY = CollectorRegistry()
ProcessCollector(registry=_REGISTRY)
PlatformCollector(registry=_REGISTRY)

REQUESTS = Counter(
    "playground_requests", "Requests to a model that have ended.", ["kind", "outcome"], registry=_REGISTRY
)
SECONDS = Histogram(
    "playground_request_seconds",
    "From asking to the end, waiting included.",
    ["kind"],
    buckets=_SECONDS,
    registry=_REGISTRY,
)
TOKENS = Counter("playground_tokens", "Tokens written.", registry=_REGISTRY)
ERRORS = Counter(
    "playground_errors", "Requests that ended in an error, by the error's class.", ["error"], registry=_REGISTRY
)


def count_request(kind: str, seconds: float, error: BaseException | None, *, cancelled: bool) -> None:
    """A request has ended: with a result, an error, or because nobody waited for it any more."""
    REQUESTS.labels(kind, "cancelled" if cancelled else "done" if error is None else "error").inc()
    SECONDS.labels(kind).observe(seconds)
    if error is not None and not cancelled:
        ERRORS.labels(type(error).__name__).inc()


def count_tokens(step: object) -> None:
    """The new tokens of a job's step, where it says how many there are (``new_tokens``)."""
    if number := getattr(step, "new_tokens", 0):
        TOKENS.inc(number)


def measure(name: str, about: str, read: Callable[[], float]) -> None:
    """Ask ``read`` at each look. Named once a process; a later call replaces ``read``."""
    if name not in _GAUGES:
        _GAUGES[name] = Gauge(f"playground_{name}", about, registry=_REGISTRY)
    _GAUGES[name].set_function(read)


_GAUGES: dict[str, Gauge] = {}


def exposition() -> bytes:
    """All of it, as Prometheus reads it (``CONTENT_TYPE``)."""
    return generate_latest(_REGISTRY)
