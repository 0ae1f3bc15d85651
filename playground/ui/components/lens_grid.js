// The lens: one real button a cell, arrow keys to walk, Enter to open, a card on hover or focus. The last depth stands on
// top. Cells are kept while the text and the depths stay the same. The colours of all scales are there, so that another one
// only repaints the cells.
import { countPainting, make, makeButton, stateOf } from "./dom.js"
import { choiceOf, followChoice } from "./event_bus.js"
import { LENS_COLOURS, lensPicture } from "./lens_picture.js"
import { cssRamp, saveWhenAsked } from "./picture.js"
import { gridTargetOf, rove } from "./roving_tabindex.js"
import { fillCard, makeCard, placeCard } from "./tooltip.js"

// Which depth and which column the cell number `at` is: cells are numbered row by row from the embedding on.
export const depthAndPlace = (at, columns) => [Math.floor(at / columns), at % columns]

export function linesOf(data, at) {
  const [depth, place] = depthAndPlace(at, data.tokens.length)
  const leads = depth >= data.leads[place] ? ", the answer's token from here on" : ""
  return [
    `${data.depths[depth]}, after ${data.tokens[place]} (position ${data.first + place})`,
    `${data.texts[data.tops[at]]} ${data.probabilities[at]}${leads}`,
    `entropy ${data.entropies[at]} nats, KL to the answer ${data.divergences[at]} nats`,
  ]
}

// A depth's name in the pieces that a narrow screen shows or hides; the embedding is depth 0 there.
export function sideWords(name) {
  const [first, number, ...others] = name.split(" ")
  if (number === undefined) return [["word", name], ["narrow", "0"]]
  return [["word", `${first} `], ["", number], ...(others.length ? [["word", ` ${others.join(" ")}`]] : [])]
}

function makeLine(grid) {
  const line = make("div", "lensLine", grid)
  line.setAttribute("role", "row")
  return line
}

function columnHeads(grid, data) {
  const line = makeLine(grid)
  make("div", "lensHead lensCorner", line, "after reading →").setAttribute("role", "columnheader")
  data.tokens.forEach((token, place) => {
    const head = make("div", "lensHead", line, token)
    head.setAttribute("role", "columnheader")
    head.title = `position ${data.first + place}: ${token}`
  })
}

function sideHead(line, name) {
  const side = make("div", "lensSide", line)
  side.setAttribute("role", "rowheader")
  side.setAttribute("aria-label", name)
  for (const [kind, text] of sideWords(name)) make("span", kind, side, text)
}

function build(state, data) {
  const columns = data.tokens.length
  state.grid.replaceChildren()
  state.cells = Array.from({ length: data.tops.length })
  state.grid.style.setProperty("--columns", String(columns))
  columnHeads(state.grid, data)
  for (let depth = data.depths.length - 1; depth >= 0; depth -= 1) {
    const line = makeLine(state.grid)
    sideHead(line, data.depths[depth])
    for (let place = 0; place < columns; place += 1) {
      const at = depth * columns + place
      const cell = makeButton("lensCell", line)
      cell.setAttribute("role", "gridcell")
      cell.dataset.at = String(at)
      state.cells[at] = cell
    }
  }
}

// ``texts`` false: the cells say the same as before, only the cell in view may differ.
function paint(state, data, texts) {
  state.cells.forEach((cell, at) => {
    const [depth, place] = depthAndPlace(at, data.tokens.length)
    const picked = depth === data.picked[0] && place + data.first === data.picked[1]
    cell.classList.toggle("picked", picked)
    cell.setAttribute("aria-selected", String(picked))
    if (!texts) return
    cell.textContent = data.texts[data.tops[at]]
    cell.classList.toggle("leads", depth >= data.leads[place])
    cell.setAttribute("aria-label", linesOf(data, at).join(", "))
  })
}

function colour(state, data) {
  const chosen = choiceOf(LENS_COLOURS)
  if (!chosen) return // the page has not told yet
  const shades = data.shades[chosen]
  state.cells.forEach((cell, at) => {
    const [ground, ink] = shades[at] < 0 ? ["", ""] : data.palette[shades[at]]
    cell.style.background = ground
    cell.style.color = ink
  })
  paintKey(state.key, data.legends[chosen])
  countPainting(state.root)
}

function paintKey(key, legend) {
  key.replaceChildren()
  const scale = make("span", "", key)
  make("span", "", scale, legend.low)
  make("span", "ramp", scale).style.background = cssRamp(legend.stops)
  make("span", "", scale, legend.high)
  make("span", "", key, `Shows ${legend.means}.`)
  const marks = make("span", "", key)
  make("span", "mark", marks, "underlined")
  make("span", "", marks, ": from here on the answer's own token")
}

// Sideways and within the grid only: the page itself stays where it is.
function bringIntoView(state) {
  const scroll = state.root.querySelector(".lensScroll")
  const hidden = state.cells[state.rover.at].getBoundingClientRect().right - scroll.getBoundingClientRect().right
  if (hidden > 0) scroll.scrollLeft += hidden + 2
}

function setUpLens(parentElement) {
  const root = parentElement.querySelector(".lens")
  const state = { root, key: root.querySelector(".lensKey"), grid: root.querySelector(".lensGrid"), cells: [], built: "" }
  state.card = makeCard(root)
  const find = (key, at, count) => gridTargetOf(key, at, state.data.tokens.length, count)
  state.rover = rove(state.grid, () => state.cells, find, state.card)
  const atOf = (event) => Number(event.target.closest(".lensCell")?.dataset.at ?? -1)
  const show = (event) => {
    const at = atOf(event)
    if (at < 0) return
    if (event.type === "focusin") state.rover.to(at, false)
    fillCard(state.card, { lines: linesOf(state.data, at) })
    placeCard(state.card, state.cells[at], root)
  }
  for (const name of ["mouseover", "focusin"]) state.grid.addEventListener(name, show)
  for (const name of ["mouseleave", "focusout"]) state.grid.addEventListener(name, () => { state.card.hidden = true })
  state.grid.addEventListener("click", (event) => { if (atOf(event) >= 0) state.pick(atOf(event)) })
  followChoice(root, LENS_COLOURS, () => colour(state, state.data))
  saveWhenAsked(root, "lens", () => lensPicture(root, state.data))
  return state
}

export default function lensGrid({ data, parentElement, setTriggerValue }) {
  const state = stateOf(parentElement, setUpLens)
  state.data = data
  state.pick = (at) => setTriggerValue("picked", { at, version: data.version })
  state.grid.setAttribute("aria-label", data.description)
  const built = `${data.tokens.length}:${data.depths.length}:${data.version}`
  const fresh = state.built !== built
  if (fresh) {
    build(state, data)
    state.built = built
    state.rover.to(data.picked[0] * data.tokens.length + data.picked[1] - data.first, false)
  }
  paint(state, data, fresh)
  colour(state, data)
  if (fresh) bringIntoView(state) // once the texts have given the columns their widths
}
