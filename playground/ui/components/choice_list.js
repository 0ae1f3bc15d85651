// A short list of tokens, likeliest first, one button each; arrow keys walk, Enter chooses. Texts through textContent.
const lists = new WeakMap()

function part(name, parent, text) {
  const made = document.createElement("span")
  made.className = name
  if (text !== undefined) made.textContent = text
  parent.appendChild(made)
  return made
}

function setUpList(parentElement) {
  const root = parentElement.querySelector(".choices")
  const state = { root, buttons: [] }
  state.walk = makeWalk(root, () => state.buttons, { ArrowDown: 1, ArrowUp: -1 })
  root.onfocusin = (event) => {
    const at = state.buttons.indexOf(event.target.closest(".choice"))
    if (at >= 0) state.walk.to(at, false)
  }
  return state
}

function makeChoice(row, index, chosen) {
  const button = document.createElement("button")
  button.type = "button"
  button.tabIndex = -1
  button.className = "choice" + (chosen ? " chosen" : "")
  button.setAttribute("aria-label", row.label)
  button.setAttribute("aria-pressed", chosen ? "true" : "false")
  part("place", button, String(index + 1))
  part("name", button, (chosen ? "▸ " : "") + row.text)
  part("value", button, row.value)
  part("bar", part("track", button)).style.width = `${(100 * row.share).toFixed(2)}%`
  return button
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  let state = lists.get(parentElement)
  if (!state) {
    state = setUpList(parentElement)
    lists.set(parentElement, state)
  }
  const { root } = state
  const focused = root.contains(root.getRootNode().activeElement)
  root.setAttribute("aria-label", data.label)
  state.buttons = data.rows.map((row, index) => makeChoice(row, index, index === data.chosen))
  state.buttons.forEach((button, index) => {
    button.onclick = () => setTriggerValue("chosen", { index, version: data.version })
  })
  root.replaceChildren(...state.buttons)
  state.walk.to(state.walk.at, focused)
}
