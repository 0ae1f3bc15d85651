"""Three paths for machines, which serve no session: is this process alive, can it serve readers, and what has it counted.

``/healthz`` is for who restarts it, ``/readyz`` for who sends readers to it, ``/metrics`` for Prometheus. The first two tell
nothing that a stranger may not know, so they answer to any host name, as probes ask by address. Counts are told on this
machine and to the networks that PLAYGROUND_METRICS names, never to what comes through a proxy. Must not know streamlit,
pages or models.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from playground.errors import BadInput, PlaygroundError
from playground.metrics import CONTENT_TYPE, exposition
from playground.server.guard import LOOPBACK, host_name

METRICS_VARIABLE = "PLAYGROUND_METRICS"
HEALTH_PATH, READY_PATH, METRICS_PATH = "/healthz", "/readyz", "/metrics"
_PROXIED = ("x-forwarded-for", "forwarded", "x-real-ip", "via")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def scraping_networks(environment: Mapping[str, str]) -> tuple[Network, ...]:
    """Who may read the counts beside this machine: PLAYGROUND_METRICS, networks with commas between. Raises BadInput."""
    parts = [part.strip() for part in environment.get(METRICS_VARIABLE, "").split(",")]
    try:
        return tuple(ipaddress.ip_network(part) for part in parts if part)
    except ValueError as error:
        raise BadInput(f"{METRICS_VARIABLE}: {error}; name addresses or networks such as 192.0.2.0/24.") from None


def status_routes(checks: Mapping[str, Callable[[], None]], scraping: tuple[Network, ...]) -> list[Route]:
    """The routes. Each of ``checks`` raises a PlaygroundError while what it is named after is not there."""

    def failing() -> dict[str, str]:
        failures = {}
        for name, check in checks.items():
            try:
                check()
            except PlaygroundError as error:
                failures[name] = str(error)
        return failures

    async def health(_request: Request) -> Response:
        return JSONResponse({"alive": True})

    async def ready(_request: Request) -> Response:
        problems = await run_in_threadpool(failing)
        for name, problem in problems.items():  # the reason may name addresses: it is for the log
            logging.getLogger(__name__).warning("Not ready (%s): %s", name, problem)
        return JSONResponse({name: name not in problems for name in checks}, 503 if problems else 200)

    async def metrics(request: Request) -> Response:
        if not _may_scrape(request, scraping):
            return PlainTextResponse("Not Found", 404)
        return Response(exposition(), media_type=CONTENT_TYPE)

    return [Route(HEALTH_PATH, health), Route(READY_PATH, ready), Route(METRICS_PATH, metrics)]


def _may_scrape(request: Request, scraping: tuple[Network, ...]) -> bool:
    if request.client is None or any(name in request.headers for name in _PROXIED):
        return False
    try:
        client = ipaddress.ip_address(request.client.host)
    except ValueError:
        return False
    if any(client in network for network in scraping):
        return True
    # a foreign page that has its name point here ("DNS rebinding") comes from this machine too, but names itself
    return client.is_loopback and host_name(request.headers.get("host", "")) in LOOPBACK
