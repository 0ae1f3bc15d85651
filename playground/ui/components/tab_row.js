// A row of tabs: one button each, arrow keys walk, Enter or a click opens. A click marks its tab at once; the server follows.
const rows = new WeakMap()

function setUpRow(root) {
  const row = { buttons: [] }
  row.walk = makeWalk(root, () => row.buttons, { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 })
  return row
}

function makeTab(name) {
  const button = document.createElement("button")
  button.type = "button"
  button.setAttribute("role", "tab")
  button.tabIndex = -1
  button.textContent = name
  return button
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const root = parentElement.querySelector(".tabs")
  if (!rows.has(root)) rows.set(root, setUpRow(root))
  const row = rows.get(root)
  const mark = (index) => {
    row.buttons.forEach((button, at) => button.setAttribute("aria-selected", at === index ? "true" : "false"))
    row.walk.to(index, false)
  }
  root.setAttribute("aria-label", data.label)
  if (row.names !== data.names.join("\n")) {
    row.names = data.names.join("\n")
    row.buttons = data.names.map(makeTab)
    root.replaceChildren(...row.buttons)
    row.open = null
  }
  row.buttons.forEach((button, index) => {
    button.onclick = () => {
      mark(index)
      setTriggerValue("chosen", data.names[index])
    }
  })
  // What a slider sends again is not looked at: a tab clicked meanwhile stays marked.
  if (row.open !== data.open) mark(data.names.indexOf(data.open))
  row.open = data.open
}
