"""The leader's link as a route: for the secret a ticket that leads once, so that the secret stays in no address bar."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from playground.errors import LimitReached, PlaygroundError

if TYPE_CHECKING:
    from playground.room.hub.room import Room

LEAD = "lead"  # the field of the Room page's link that carries the ticket, and the path of the leader's
JOIN = "join"  # and the one that carries the code


def join_path(code: str) -> str:
    """The link behind the QR, from the address on: one click from a place in the room."""
    return f"/room?{urlencode({JOIN: code})}"


def leading_routes(room: Callable[[], Room | None]) -> list[Route]:
    """``/lead/SECRET`` goes on to the Room page. 404 without a room, 403 a wrong secret, 429 too many of those."""

    def ticket(request: Request) -> str | None:
        current_room = room()
        if current_room is None:
            return None
        address = request.client.host if request.client else ""
        secret, visitor = str(request.path_params["secret"]), str(request.scope.get("visitor", ""))
        return current_room.leader_ticket(secret, visitor=visitor, address=address)

    async def lead(request: Request) -> Response:
        try:
            leader_ticket = await run_in_threadpool(ticket, request)
        except PlaygroundError as error:
            return PlainTextResponse(str(error), 429 if isinstance(error, LimitReached) else 403)
        if leader_ticket is None:
            return PlainTextResponse("Not Found", 404)
        # HTML, so that a new browser is given its name with it
        headers = {
            "Location": f"../room?{urlencode({LEAD: leader_ticket})}",
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
        }
        return HTMLResponse("", 303, headers)

    return [Route(f"/{LEAD}/{{secret}}", lead)]
