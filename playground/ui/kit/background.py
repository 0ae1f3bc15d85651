"""Work that needs no model, done by threads of its own and seen from a page as a request to the model is: by a ticket.

What counts, filters or reads files for longer than a script run may wait. ``result_of`` takes such a ticket.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from playground.engine.api import CancelToken
from playground.engine.serving.ticket import Ticket
from playground.ui.runtime import session_id

T = TypeVar("T")
Work = Callable[[Callable[[object], None], CancelToken], T]
"""Is given what takes each step (its progress), and the token that it looks at between steps."""

_POOL = ThreadPoolExecutor(max_workers=2, thread_name_prefix="background")


def in_background(slot: str, work: Work[T]) -> Ticket[T]:
    """Queue ``work``; the ticket has its steps, its result or its error."""
    ticket: Ticket[T] = Ticket(session_id(), slot)

    def run() -> None:
        if ticket.done:  # stopped while it waited
            return
        try:
            ticket.succeed(work(ticket.add_step, ticket.cancel_token))
        except BaseException as error:  # whatever it is: a page must not wait for ever
            ticket.fail(error)

    _POOL.submit(run)
    return ticket
