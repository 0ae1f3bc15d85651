"""A clock for all that a reader sees: from a key, a click or an address until nothing moves any more and nothing runs.

It watches the main part of the page with its components. The time of an action is the later of two moments: the last
change to be seen, and the end of the script run by Streamlit's own mark.
"""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

QUIET_MS = 250  # nothing may change for so long before an action counts as over; it is not part of its time

# window.__settle() waits until the page is at rest and gives the moment since which it is, in ms of performance.now().
WHOLE = """
() => {
  const app = () => document.querySelector('[data-testid=stApp]')
  const watched = new WeakSet()
  let changed = 0, ended = 0, pictures = 0
  const observer = new MutationObserver(() => { changed = performance.now(); adopt() })
  const watch = (root) => {
    if (!root || watched.has(root)) return
    watched.add(root)
    observer.observe(root, { subtree: true, childList: true, characterData: true, attributes: true })
  }
  const adopt = () => {
    watch(document.querySelector('[data-testid=stMain]'))
    for (const host of document.querySelectorAll('[data-testid=stMain] .stBidiComponent *')) watch(host.shadowRoot)
  }
  window.__settle = () => new Promise((done) => {
    const look = () => {
      const now = performance.now(), node = app()
      if (!node || node.dataset.testScriptState !== 'notRunning') ended = 0
      else if (!ended) ended = now
      adopt()
      if (ended && now - Math.max(changed, ended) > QUIET) done(Math.max(changed, ended))
      else requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
  })
  window.__begin = 0
  for (const kind of ['keydown', 'pointerdown'])
    window.addEventListener(kind, () => { window.__begin = changed = performance.now(); ended = 0 }, { capture: true })
}
""".replace("QUIET", str(QUIET_MS))


def action_ms(page: Page, act: Callable[[], None]) -> float:
    """Milliseconds from the key or click in ``act`` until the page is at rest again."""
    act()
    return float(page.evaluate("async () => { const end = await window.__settle(); return end - window.__begin }"))


def install(page: Page) -> None:
    """Put the clock into an open page."""
    page.evaluate(WHOLE)
    page.evaluate("window.__settle()")


def load_ms(page: Page, url: str) -> float:
    """Milliseconds from opening ``url`` until the page is at rest, everything on it painted."""
    page.goto(url)
    page.evaluate(WHOLE)
    return float(page.evaluate("window.__settle()"))
