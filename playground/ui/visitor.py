"""Who looks at this page: the visitor that the signed cookie or the login names.

A visitor is a browser, on all its tabs; with Streamlit's own login (OIDC) switched on, it is who has logged in.
"""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path

import streamlit as st

from playground.room.limits import is_shared_server
from playground.server.visitor import COOKIE, VisitorCookies, given_secret, stored_secret
from playground.store.place import data_folder
from playground.store.records import LOCAL
from playground.ui.runtime import session_id

_LONGEST_NAME = 40


def visitor_id() -> str:
    """The visitor's name, at most 64 characters, never "".

    Without a valid cookie (a script, a test, a browser that takes none) the tab's session stands in.
    """
    return _logged_in() or visitor_cookies().read(st.context.cookies.get(COOKIE, "")) or session_id() or "nobody"


def owner_id() -> str:
    """Whose is what is stored from here: on one's own machine LOCAL, whatever the browser; on a shared server the visitor."""
    return visitor_id() if is_shared_server() else LOCAL


def visitor_cookies() -> VisitorCookies:
    """How this process signs: with PLAYGROUND_SECRET, which replicas share, else with the secret of the data folder."""
    return _cookies(given_secret(os.environ), str(data_folder()))


@functools.lru_cache(maxsize=8)  # several only in tests
def _cookies(given: str, folder: str) -> VisitorCookies:
    return VisitorCookies(given or stored_secret(Path(folder)))


def has_to_log_in() -> bool:
    """Whether Streamlit's login is switched on and this visitor has not done so."""
    return st.user.to_dict().get("is_logged_in") is False


def logged_in_name() -> str:
    """What the provider calls who has logged in, shortened; hostile text. "" where nobody has."""
    user = st.user.to_dict()
    claims = (user.get(claim) for claim in ("name", "preferred_username", "email", "sub"))
    return next((str(name)[:_LONGEST_NAME] for name in claims if name), "") if user.get("is_logged_in") else ""


def _logged_in() -> str:
    """Who has logged in, "" for nobody. Not the provider's own words: names go into the store."""
    user = st.user.to_dict()
    if not user.get("is_logged_in"):
        return ""
    identity = f"{user.get('iss')} {user.get('sub') or user.get('email')}"
    return f"login-{hashlib.sha256(identity.encode()).hexdigest()[:48]}"
