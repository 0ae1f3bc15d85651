"""Streamlit's own login, with a provider that runs here: nobody comes in without, and who has logged in is the visitor."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage, free_port, serve

pytestmark = pytest.mark.e2e

SECRETS = """
[auth]
redirect_uri = "http://127.0.0.1:{{port}}/oauth2callback"
cookie_secret = "{secret}"
client_id = "playground"
client_secret = "of a test"
server_metadata_url = "{provider}/.well-known/openid-configuration"
"""


@contextmanager
def provider() -> Iterator[str]:
    """A provider for tests: it asks for a name and takes any."""
    port = free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while not answers(f"http://127.0.0.1:{port}"):
                assert process.poll() is None, "the provider has ended"
                time.sleep(0.1)  # polling a port has no event to wait for
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/.well-known/openid-configuration", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def log_in(page: Page, name: str) -> None:
    page.get_by_role("button", name="Log in").click()
    page.locator("input[name=sub]").fill(name)
    page.locator("input[name=sub]").press("Enter")


def test_who_has_logged_in_is_the_visitor_on_every_browser(open_page: OpenPage, tmp_path: Path) -> None:
    with provider() as issuer:
        secrets = tmp_path / "secrets.toml"
        secrets.write_text(SECRETS.format(provider=issuer, secret="c" * 40), encoding="utf-8")
        environment = {
            "STREAMLIT_SECRETS_FILES": str(secrets),
            "PLAYGROUND_DATA": str(tmp_path),
            "PLAYGROUND_SHARED": "1",
            "PLAYGROUND_LIMITS": "tabs=1",
            "PLAYGROUND_MODEL": "http://127.0.0.1:9/v1",  # nobody answers there, and nothing is loaded
        }
        with serve(**environment) as address:
            first = open_page(f"{address}/glossary")
            expect(first.get_by_role("button", name="Log in")).to_be_visible()
            expect(first.get_by_role("link", name="Generate")).to_have_count(0)
            log_in(first, "ada")
            expect(first.get_by_role("button", name="Log out")).to_be_visible()
            second = open_page(f"{address}/")
            log_in(second, "grace")
            expect(second.get_by_role("button", name="Log out")).to_be_visible()
            again = open_page(f"{address}/")
            log_in(again, "ada")
            expect(again.get_by_text("at most 1 tabs of a visitor")).to_be_visible()
            second.get_by_role("button", name="Log out").click()
            second.get_by_role("button", name="End session").click()  # the provider's own question
            expect(second.get_by_role("button", name="Log in")).to_be_visible()
