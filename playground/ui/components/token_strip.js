// The token strip: one real button for each token, arrow keys to walk, Enter to pick, a card of details on hover or focus.
// Everything from Python is text; it reaches the page through textContent only.
const instances = new WeakMap()

function makeCard(root) {
  const card = document.createElement("div")
  card.className = "card"
  card.hidden = true
  card.setAttribute("role", "tooltip")
  root.appendChild(card)
  return card
}

function cell(text, tag) {
  const element = document.createElement(tag)
  element.textContent = text
  return element
}

function fillCard(card, token) {
  card.replaceChildren()
  for (const line of token.lines) card.appendChild(cell(line, "p"))
  if (!token.table.length) return
  const table = document.createElement("table")
  token.table.forEach((row, index) => {
    const line = document.createElement("tr")
    row.forEach((value) => line.appendChild(cell(value, index === 0 ? "th" : "td")))
    table.appendChild(line)
  })
  card.appendChild(table)
}

function placeCard(card, button, root) {
  card.hidden = false
  const box = root.getBoundingClientRect()
  const at = button.getBoundingClientRect()
  const left = Math.max(0, Math.min(at.left - box.left, box.width - card.offsetWidth))
  card.style.left = `${left}px`
  card.style.top = `${at.bottom - box.top + 4}px`
}

function makeButton(state, index) {
  const button = document.createElement("button")
  button.type = "button"
  button.onclick = () => state.pick(index)
  button.onmouseenter = button.onfocus = () => {
    state.walkTo(index, false)
    fillCard(state.card, state.tokens[index])
    placeCard(state.card, button, state.root)
  }
  button.onmouseleave = button.onblur = () => { state.card.hidden = true }
  return button
}

function paint(button, token, selected, tint) {
  button.textContent = token.text
  button.className = `token ${token.kind} tint${tint % 2}` + (selected ? " selected" : "")
  button.style.background = token.background || ""
  button.style.color = token.ink || ""
  button.setAttribute("aria-label", token.label)
  if (selected) button.setAttribute("aria-current", "true")
  else button.removeAttribute("aria-current")
}

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }

function setUp(parentElement) {
  const root = parentElement.querySelector(".strip")
  const line = root.querySelector(".tokens")
  const state = { root, line, card: makeCard(root), buttons: [], tokens: [], cursor: 0 }
  state.walkTo = (index, focus) => {
    state.cursor = Math.max(0, Math.min(index, state.buttons.length - 1))
    state.buttons.forEach((button, at) => { button.tabIndex = at === state.cursor ? 0 : -1 })
    if (focus && state.buttons.length) state.buttons[state.cursor].focus()
  }
  line.onkeydown = (event) => {
    let target = null
    if (event.key in STEPS) target = state.cursor + STEPS[event.key]
    else if (event.key === "Home") target = 0
    else if (event.key === "End") target = state.buttons.length - 1
    else if (event.key === "Escape") state.card.hidden = true
    if (target === null) return
    event.preventDefault()
    event.stopPropagation()
    state.walkTo(target, true)
  }
  return state
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  let state = instances.get(parentElement)
  if (!state) {
    state = setUp(parentElement)
    instances.set(parentElement, state)
  }
  state.pick = (index) => setTriggerValue("picked", { index, version: data.version })
  state.tokens = data.tokens
  state.line.setAttribute("aria-label", data.label)
  while (state.buttons.length > data.tokens.length) state.buttons.pop().remove()
  while (state.buttons.length < data.tokens.length) {
    const button = makeButton(state, state.buttons.length)
    state.buttons.push(button)
    state.line.appendChild(button)
  }
  state.line.querySelectorAll("br").forEach((mark) => mark.remove())
  data.tokens.forEach((token, index) => {
    const button = state.buttons[index]
    paint(button, token, index === data.selected, index)
    if (token.breaks) button.after(document.createElement("br"))
  })
  const known = data.selected >= 0 && data.selected < state.buttons.length
  state.walkTo(known ? data.selected : Math.min(state.cursor, state.buttons.length - 1), false)
}
