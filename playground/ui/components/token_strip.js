// The token strip: one real button for each token, arrow keys to walk, Enter to pick, a card of details on hover or focus.
import { make, makeButton, resizeList, stateOf } from "./dom.js"
import { HORIZONTAL, roveList } from "./roving_tabindex.js"
import { attachCard, fillCard, makeCard } from "./tooltip.js"

export const labelOf = (token) => token.label || (token.lines || []).join(", ")

// While a text grows, all but its last tokens are as they were: those are left alone.
export function looksTheSame(one, other) {
  return Boolean(one) && ["text", "kind", "background", "breaks"].every((name) => one[name] === other[name])
    && labelOf(one) === labelOf(other)
}

const breakAfter = (button) => (button.nextSibling && button.nextSibling.tagName === "BR" ? button.nextSibling : null)

function makeToken(state, index) {
  const button = makeButton("token", state.line)
  button.onclick = () => state.pick(index)
  attachCard(button, state.card, state.root, () => {
    state.rover.to(index, false)
    fillCard(state.card, state.tokens[index])
  })
  return button
}

function paint(button, token, selected, tint) {
  button.textContent = token.text
  button.className = `token ${token.kind} tint${tint % 2}${selected ? " selected" : ""}`
  button.style.background = token.background || ""
  button.style.color = token.ink || ""
  button.setAttribute("aria-label", labelOf(token))
  if (selected) button.setAttribute("aria-current", "true")
  else button.removeAttribute("aria-current")
  const broken = breakAfter(button)
  if (broken && !token.breaks) broken.remove()
  if (!broken && token.breaks) button.after(make("br"))
}

function removeToken(button) {
  breakAfter(button)?.remove()
  button.remove()
}

function setUpStrip(parentElement) {
  const root = parentElement.querySelector(".strip")
  const line = root.querySelector(".tokens")
  const state = { root, line, card: makeCard(root), buttons: [], tokens: [] }
  state.rover = roveList(line, () => state.buttons, HORIZONTAL, state.card)
  return state
}

export default function tokenStrip({ data, parentElement, setTriggerValue }) {
  const state = stateOf(parentElement, setUpStrip)
  const before = state.tokens, selectedBefore = state.selected
  state.pick = (index) => setTriggerValue("picked", { index, version: data.version })
  state.tokens = data.tokens
  state.selected = data.selected
  state.line.setAttribute("aria-label", data.label)
  state.line.style.maxHeight = data.height || ""
  resizeList(state.buttons, data.tokens.length, (index) => makeToken(state, index), removeToken)
  data.tokens.forEach((token, index) => {
    const touched = index === data.selected || index === selectedBefore
    if (touched || !looksTheSame(before[index], token)) paint(state.buttons[index], token, index === data.selected, index)
  })
  const shown = data.selected >= 0 && data.selected < state.buttons.length
  state.rover.to(shown ? data.selected : state.rover.at, false)
}
