// The token strip: one real button for each token, arrow keys to walk, Enter to pick, a card of details on hover or focus.
// Everything from Python is text; it reaches the page through textContent only.
const instances = new WeakMap()

function makeButton(state, index) {
  const button = document.createElement("button")
  button.type = "button"
  button.tabIndex = -1
  button.onclick = () => state.pick(index)
  button.onmouseenter = button.onfocus = () => {
    state.walk.to(index, false)
    fillCard(state.card, state.tokens[index])
    placeCard(state.card, button, state.root)
  }
  button.onmouseleave = button.onblur = () => { state.card.hidden = true }
  return button
}

// While a text grows, all but its last tokens are as they were: those are left alone.
function same(one, other) {
  return one && one.text === other.text && one.kind === other.kind && one.background === other.background &&
    one.breaks === other.breaks && labelOf(one) === labelOf(other)
}

function labelOf(token) {
  return token.label || (token.lines || []).join(", ")
}

function paint(button, token, selected, tint) {
  button.textContent = token.text
  button.className = `token ${token.kind} tint${tint % 2}` + (selected ? " selected" : "")
  button.style.background = token.background || ""
  button.style.color = token.ink || ""
  button.setAttribute("aria-label", labelOf(token))
  if (selected) button.setAttribute("aria-current", "true")
  else button.removeAttribute("aria-current")
}

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }

function setUp(parentElement) {
  const root = parentElement.querySelector(".strip")
  const line = root.querySelector(".tokens")
  const state = { root, line, card: makeCard(root), buttons: [], tokens: [] }
  state.walk = makeWalk(line, () => state.buttons, STEPS, state.card)
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
  const before = state.tokens
  const selectedBefore = state.selected
  state.tokens = data.tokens
  state.selected = data.selected
  state.line.setAttribute("aria-label", data.label)
  state.line.style.maxHeight = data.height || ""
  while (state.buttons.length > data.tokens.length) {
    const button = state.buttons.pop()
    if (button.nextSibling && button.nextSibling.tagName === "BR") button.nextSibling.remove()
    button.remove()
  }
  while (state.buttons.length < data.tokens.length) {
    const button = makeButton(state, state.buttons.length)
    state.buttons.push(button)
    state.line.appendChild(button)
  }
  data.tokens.forEach((token, index) => {
    const touched = index === data.selected || index === selectedBefore
    if (!touched && same(before[index], token)) return
    const button = state.buttons[index]
    paint(button, token, index === data.selected, index)
    const broken = button.nextSibling && button.nextSibling.tagName === "BR"
    if (broken && !token.breaks) button.nextSibling.remove()
    if (!broken && token.breaks) button.after(document.createElement("br"))
  })
  const known = data.selected >= 0 && data.selected < state.buttons.length
  state.walk.to(known ? data.selected : state.walk.at, false)
}
