// Paired bars, one real button a row: raw probability above, final probability below. Widths come from Python as shares
// of the axis; rows are kept between runs, so that a moved slider only changes widths and texts.
const charts = new WeakMap()

function element(tag, name, parent) {
  const made = document.createElement(tag)
  made.className = name
  parent.appendChild(made)
  return made
}

function makeBar(parent, name) {
  const line = element("span", "line", parent)
  return { fill: element("span", `fill ${name}`, line), text: element("span", "text", line) }
}

function makeRow(state, index) {
  const button = element("button", "row", state.rowsElement)
  button.type = "button"
  button.tabIndex = -1
  const label = element("span", "label", button)
  const bars = element("span", "bars", button)
  button.onclick = () => state.pick(index)
  button.onmouseenter = button.onfocus = () => {
    state.walk.to(index, false)
    fillCard(state.card, state.rows[index])
    placeCard(state.card, button, state.root)
  }
  button.onmouseleave = button.onblur = () => { state.card.hidden = true }
  return { button, label, raw: makeBar(bars, "raw"), final: makeBar(bars, "final") }
}

function paintBar(bar, width, text) {
  bar.fill.style.width = `${(100 * width).toFixed(3)}%`
  bar.text.textContent = text
}

function paintRow(parts, row, cut) {
  const { button, label, raw, final } = parts
  button.className = "row" + (row.removed ? " removed" : "") + (row.chosen ? " chosen" : "") + (row.pick < 0 ? " rest" : "")
  button.classList.toggle("cut", cut)
  button.setAttribute("aria-label", row.lines.join(", "))
  button.setAttribute("aria-disabled", row.pick < 0 ? "true" : "false")
  label.textContent = (row.chosen ? "▶ " : "") + row.label
  paintBar(raw, row.raw, row.rawText)
  paintBar(final, row.final, row.finalText)
}

function paintAxis(state, ticks) {
  state.axis.replaceChildren()
  for (const tick of ticks) {
    const mark = element("span", "tick", state.axis)
    mark.style.left = `${100 * tick.at}%`
    element("span", "tickText", mark).textContent = tick.text
  }
}

function setUpChart(parentElement) {
  const root = parentElement.querySelector(".chart")
  const rowsElement = root.querySelector(".rows")
  const state = { root, rowsElement, axis: root.querySelector(".axis"), card: makeCard(root), parts: [], rows: [] }
  const buttons = () => state.parts.map((parts) => parts.button)
  state.walk = makeWalk(rowsElement, buttons, { ArrowDown: 1, ArrowUp: -1 }, state.card)
  return state
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  let state = charts.get(parentElement)
  if (!state) {
    state = setUpChart(parentElement)
    charts.set(parentElement, state)
  }
  state.pick = (index) => {
    if (state.rows[index].pick >= 0) setTriggerValue("picked", { id: state.rows[index].pick, position: data.position })
  }
  state.rows = data.rows
  state.root.setAttribute("aria-label", data.description)
  while (state.parts.length > data.rows.length) state.parts.pop().button.remove()
  while (state.parts.length < data.rows.length) state.parts.push(makeRow(state, state.parts.length))
  data.rows.forEach((row, index) => paintRow(state.parts[index], row, index === data.cutRow))
  paintAxis(state, data.ticks)
  const cut = state.root.querySelector(".cutText")
  cut.textContent = data.cutText
  cut.hidden = !data.cutText
  if (data.cutRow >= 0) state.parts[data.cutRow].button.before(cut)
  else state.rowsElement.appendChild(cut)
  state.walk.to(state.walk.at, false)
}
