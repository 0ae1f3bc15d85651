// A row of radio buttons whose choice the page's pictures follow at once; Python is told afterwards. `serial` counts the
// presses: what comes from Python before it has heard of the last one is old and changes nothing.
import { consume, make, makeButton, stateOf } from "./dom.js"
import { choiceOf, publishChoice } from "./event_bus.js"
import { HORIZONTAL } from "./roving_tabindex.js"
import { attachCard, fillCard, makeCard } from "./tooltip.js"

const HELP_ICON = '<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="10"/>'
  + '<path d="M9.09 9a3 3 0 0 1 5.83 1c0 2-3 3-3 3"/><path d="M12 17h.01"/></svg>' // ours; nothing of the model's

// Where a key leads among radio buttons, which go round; null for a key that leads nowhere.
export function radioTargetOf(key, at, count) {
  if (key === "Home") return 0
  if (key === "End") return count - 1
  return key in HORIZONTAL ? (at + HORIZONTAL[key] + count) % count : null
}

function choose(state, value) {
  state.value = value
  state.buttons.forEach((button, at) => {
    const chosen = state.data.values[at] === value
    button.setAttribute("aria-checked", String(chosen))
    button.tabIndex = chosen ? 0 : -1
  })
  if (choiceOf(state.data.name) !== value) publishChoice(state.data.name, value)
}

function press(state, at) {
  const value = state.data.values[at]
  state.buttons[at].focus()
  if (value === state.value) return
  state.serial += 1
  choose(state, value)
  state.send({ value, serial: state.serial })
}

function addHelp(state, head) {
  const button = makeButton("help", head)
  button.tabIndex = 0
  button.setAttribute("aria-label", `Help for ${state.data.label}`)
  button.setAttribute("aria-describedby", "tip")
  button.innerHTML = HELP_ICON
  const card = makeCard(state.root)
  card.id = "tip"
  fillCard(card, { lines: [state.data.help] })
  button.onclick = attachCard(button, card, state.root, () => {}, state.group) // below the buttons, which stay in view
  button.onkeydown = (event) => { if (event.key === "Escape") card.hidden = true }
}

function fill(state) {
  const { data, root } = state
  root.replaceChildren()
  const head = make("div", "head", root)
  make("span", "label", head, data.label).setAttribute("aria-hidden", "true")
  state.group = make("div", "group", root)
  if (data.help) addHelp(state, head)
  state.group.setAttribute("role", "radiogroup")
  state.group.setAttribute("aria-label", data.label)
  state.group.onkeydown = (event) => {
    const target = radioTargetOf(event.key, state.data.values.indexOf(state.value), state.buttons.length)
    if (target === null) return
    consume(event)
    press(state, target)
  }
  state.buttons = data.labels.map((label, at) => {
    const button = makeButton("option", state.group, label)
    button.setAttribute("role", "radio")
    button.onclick = () => press(state, at)
    return button
  })
}

function setUpChoice(parentElement) {
  return { root: parentElement.querySelector(".liveChoice"), buttons: [], serial: -1, shown: "" }
}

export default function liveChoice({ data, parentElement, setTriggerValue }) {
  const state = stateOf(parentElement, setUpChoice)
  state.data = data
  state.send = (choice) => setTriggerValue("chosen", choice)
  const shown = JSON.stringify([data.label, data.help, data.values, data.labels])
  const fresh = shown !== state.shown
  if (fresh) fill(state)
  state.shown = shown
  const heard = data.serial >= state.serial
  if (heard) state.serial = data.serial
  if (fresh || heard) choose(state, heard ? data.value : state.value)
}
