// Copying where the browser offers none: over http from another machine, as in a room, there is no navigator.clipboard,
// and Streamlit's copy buttons would do nothing without saying so.

// Puts `text` in the clipboard by the older way, which takes a selected element; the focus goes back to where it was.
export function copyBySelection(text, page) {
  const held = page.activeElement
  const area = page.createElement("textarea")
  area.value = text
  area.setAttribute("readonly", "")
  area.style.cssText = "position: fixed; top: 0; left: 0; opacity: 0"
  page.body.append(area)
  area.select()
  const done = page.execCommand("copy")
  area.remove()
  held?.focus?.({ preventScroll: true })
  if (!done) throw new Error("The browser refused to copy.")
}

// Gives `browser` (navigator) what it lacks; what is there stays.
export function offerClipboard(browser, page) {
  if (browser.clipboard) return
  const clipboard = { writeText: async (text) => copyBySelection(text, page) }
  Object.defineProperty(browser, "clipboard", { value: clipboard, configurable: true })
}
