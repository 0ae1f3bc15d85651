// A row of tabs: one button each, arrow keys walk, Enter or a click opens. A click marks its tab at once; the server follows.
import { makeButton, stateOf } from "./dom.js"
import { HORIZONTAL, roveList } from "./roving_tabindex.js"

function setUpRow(parentElement) {
  const root = parentElement.querySelector(".tabs")
  const row = { root, buttons: [] }
  row.rover = roveList(root, () => row.buttons, HORIZONTAL)
  return row
}

function makeTab(name) {
  const button = makeButton("", null, name)
  button.setAttribute("role", "tab")
  return button
}

function mark(row, index) {
  row.buttons.forEach((button, at) => button.setAttribute("aria-selected", String(at === index)))
  row.rover.to(index, false)
}

export default function tabRow({ data, parentElement, setTriggerValue }) {
  const row = stateOf(parentElement, setUpRow)
  row.root.setAttribute("aria-label", data.label)
  if (row.names !== data.names.join("\n")) {
    row.names = data.names.join("\n")
    row.buttons = data.names.map(makeTab)
    row.root.replaceChildren(...row.buttons)
    row.open = null
  }
  row.buttons.forEach((button, index) => {
    button.onclick = () => {
      mark(row, index)
      setTriggerValue("chosen", data.names[index])
    }
  })
  // What a slider sends again is not looked at: a tab clicked meanwhile stays marked.
  if (row.open !== data.open) mark(row, data.names.indexOf(data.open))
  row.open = data.open
}
