// Paired bars, one real button a row: raw probability above, final probability below. Widths come from Python as shares
// of the axis; rows are kept between runs, so that a moved slider only changes widths and texts.
import { make, makeButton, resizeList, stateOf } from "./dom.js"
import { roveList, VERTICAL } from "./roving_tabindex.js"
import { attachCard, fillCard, makeCard } from "./tooltip.js"

export const widthOf = (share) => `${(100 * share).toFixed(3)}%`

export function rowClass(row, cut) {
  const words = { removed: row.removed, chosen: row.chosen, maybe: row.maybe, untold: row.untold, rest: row.pick < 0, cut }
  return ["row", ...Object.keys(words).filter((word) => words[word])].join(" ")
}

// Which of the legend's entries mean something in this picture: an engine may tell raw probabilities alone.
export const legendOf = ({ rows, bounded }) => ({ ifBounded: Boolean(bounded), ifFinal: rows.some((row) => !row.untold) })

function makeBar(parent, name) {
  const line = make("span", "line", parent)
  const fill = make("span", `fill ${name}`, line)
  const open = name === "final" ? make("span", "fill open", line) : null // from the lower bound to the upper one
  return { fill, open, text: make("span", "text", line) }
}

function makeRow(state, index) {
  const button = makeButton("row", state.rowsElement)
  const label = make("span", "label", button)
  const bars = make("span", "bars", button)
  button.onclick = () => state.pick(index)
  attachCard(button, state.card, state.root, () => {
    state.rover.to(index, false)
    fillCard(state.card, state.rows[index])
  })
  return { button, label, raw: makeBar(bars, "raw"), final: makeBar(bars, "final") }
}

function paintBar(bar, share, text, upTo = share) {
  bar.fill.style.width = widthOf(share)
  if (bar.open) {
    bar.open.style.width = widthOf(upTo - share)
    bar.open.hidden = upTo - share < 0.0005
  }
  bar.text.textContent = text
}

function paintRow({ button, label, raw, final }, row, cut) {
  button.className = rowClass(row, cut)
  button.setAttribute("aria-label", row.lines.join(", "))
  button.setAttribute("aria-disabled", String(row.pick < 0))
  label.textContent = (row.chosen ? "▶ " : row.maybe ? "▷ " : "") + row.label
  paintBar(raw, row.raw, row.rawText)
  paintBar(final, row.final, row.finalText, row.finalHigh)
}

function paintAxis(axis, ticks) {
  axis.replaceChildren()
  for (const tick of ticks) {
    const line = make("span", "tick", axis)
    line.style.left = `${100 * tick.at}%`
    make("span", "tickText", line, tick.text)
  }
}

function paintCut(state, { cutText, cutRow }) {
  const cut = state.root.querySelector(".cutText")
  cut.textContent = cutText
  cut.hidden = !cutText
  if (cutRow >= 0) state.parts[cutRow].button.before(cut)
  else state.rowsElement.append(cut)
}

function setUpChart(parentElement) {
  const root = parentElement.querySelector(".chart")
  const rowsElement = root.querySelector(".rows")
  const state = { root, rowsElement, axis: root.querySelector(".axis"), card: makeCard(root), parts: [], rows: [] }
  state.rover = roveList(rowsElement, () => state.parts.map((parts) => parts.button), VERTICAL, state.card)
  return state
}

export default function probabilityBars({ data, parentElement, setTriggerValue }) {
  const state = stateOf(parentElement, setUpChart)
  state.pick = (index) => {
    const { pick } = state.rows[index]
    if (pick >= 0) setTriggerValue("picked", { id: pick, position: data.position })
  }
  state.rows = data.rows
  state.root.setAttribute("aria-label", data.description)
  for (const [name, shown] of Object.entries(legendOf(data))) {
    for (const entry of state.root.querySelectorAll(`.legend .${name}`)) entry.hidden = !shown
  }
  resizeList(state.parts, data.rows.length, (index) => makeRow(state, index), (parts) => parts.button.remove())
  data.rows.forEach((row, index) => paintRow(state.parts[index], row, index === data.cutRow))
  paintAxis(state.axis, data.ticks)
  paintCut(state, data)
  state.rover.to(state.rover.at, false)
}
