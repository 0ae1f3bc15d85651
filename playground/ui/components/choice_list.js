// A short list of tokens, likeliest first, one button each; arrow keys walk, Enter chooses.
import { make, makeButton, stateOf } from "./dom.js"
import { roveList, VERTICAL } from "./roving_tabindex.js"

function setUpList(parentElement) {
  const root = parentElement.querySelector(".choices")
  const state = { root, buttons: [] }
  state.rover = roveList(root, () => state.buttons, VERTICAL)
  root.addEventListener("focusin", (event) => { // there is no onfocusin to set
    const at = state.buttons.indexOf(event.target.closest(".choice"))
    if (at >= 0) state.rover.to(at, false)
  })
  return state
}

function makeChoice(row, index, chosen) {
  const button = makeButton(chosen ? "choice chosen" : "choice")
  button.setAttribute("aria-label", row.label)
  button.setAttribute("aria-pressed", String(chosen))
  make("span", "place", button, String(index + 1))
  make("span", "name", button, (chosen ? "▸ " : "") + row.text)
  make("span", "value", button, row.value)
  make("span", "bar", make("span", "track", button)).style.width = `${(100 * row.share).toFixed(2)}%`
  return button
}

export default function choiceList({ data, parentElement, setTriggerValue }) {
  const state = stateOf(parentElement, setUpList)
  const { root } = state
  const focused = root.contains(root.getRootNode().activeElement)
  root.setAttribute("aria-label", data.label)
  state.buttons = data.rows.map((row, index) => makeChoice(row, index, index === data.chosen))
  state.buttons.forEach((button, index) => {
    button.onclick = () => setTriggerValue("chosen", { index, version: data.version })
  })
  root.replaceChildren(...state.buttons)
  state.rover.to(state.rover.at, focused)
}
