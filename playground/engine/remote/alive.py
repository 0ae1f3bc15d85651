"""Whether a server that a model is behind answers now: one short question, without a key and without another try."""

from __future__ import annotations

import httpx2

from playground.errors import ServerError
from playground.models.address import parse_address

PATIENCE_S = 2.0


def check_answers(address: str) -> None:
    """Raises ServerError where nothing answers, or only that it cannot. Who asks without a key and is refused has an answer."""
    server = parse_address(address)
    try:
        status = httpx2.get(server.base + "/models", timeout=PATIENCE_S, trust_env=False).status_code
    except httpx2.HTTPError as error:
        raise ServerError(
            f"The server at {server.base} does not answer ({type(error).__name__}): see that it runs."
        ) from None
    if status >= 500:
        raise ServerError(f"The server at {server.base} answers with an error ({status}): see its log.")
