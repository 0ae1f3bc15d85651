// A short list of tokens, likeliest first, one button each; arrow keys walk, Enter chooses. Texts through textContent.
const lists = new WeakMap()

function part(name, parent, text) {
  const made = document.createElement("span")
  made.className = name
  if (text !== undefined) made.textContent = text
  parent.appendChild(made)
  return made
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const root = parentElement.querySelector(".choices")
  const cursor = lists.get(root) || 0
  const focused = root.contains(root.getRootNode().activeElement)
  root.replaceChildren()
  root.setAttribute("aria-label", data.label)
  const buttons = data.rows.map((row, index) => {
    const button = document.createElement("button")
    button.type = "button"
    button.className = "choice" + (index === data.chosen ? " chosen" : "")
    button.setAttribute("aria-label", row.label)
    button.setAttribute("aria-pressed", index === data.chosen ? "true" : "false")
    part("place", button, String(index + 1))
    part("name", button, (index === data.chosen ? "▸ " : "") + row.text)
    part("value", button, row.value)
    part("bar", part("track", button)).style.width = `${(100 * row.share).toFixed(2)}%`
    button.onclick = () => setTriggerValue("chosen", { index, version: data.version })
    root.appendChild(button)
    return button
  })
  const walkTo = (index, focus) => {
    const at = Math.max(0, Math.min(index, buttons.length - 1))
    lists.set(root, at)
    buttons.forEach((button, place) => { button.tabIndex = place === at ? 0 : -1 })
    if (focus && buttons[at]) buttons[at].focus()
  }
  root.onfocusin = (event) => {
    const at = buttons.indexOf(event.target.closest(".choice"))
    if (at >= 0) walkTo(at, false)
  }
  root.onkeydown = (event) => {
    const at = lists.get(root) || 0
    const target = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key]
    if (target === undefined) return
    event.preventDefault()
    event.stopPropagation()
    walkTo(target, true)
  }
  walkTo(cursor, focused)
}
