// The lens: one real button a cell, arrow keys to walk, Enter to open, a card on hover or focus. The last depth stands on
// top. Cells are kept while the text and the depths stay the same. The colours of all scales are there, so that another one
// only repaints the cells. Everything from Python is text and reaches the page through textContent.
const lenses = new WeakMap()
const LENS_COLOURS = "lens-colours"

function put(tag, name, parent, text) {
  const made = document.createElement(tag)
  made.className = name
  if (text !== undefined) made.textContent = text
  parent.appendChild(made)
  return made
}

function columnHeads(state, data) {
  const line = put("div", "lensLine", state.grid)
  line.setAttribute("role", "row")
  const corner = put("div", "lensHead lensCorner", line, "after reading →")
  corner.setAttribute("role", "columnheader")
  data.tokens.forEach((token, place) => {
    const head = put("div", "lensHead", line, token)
    head.setAttribute("role", "columnheader")
    head.title = `position ${data.first + place}: ${token}`
  })
}

function sideHead(line, name) {
  const side = put("div", "lensSide", line)
  side.setAttribute("role", "rowheader")
  side.setAttribute("aria-label", name)
  const words = name.split(" ")
  put("span", "word", side, words.length > 1 ? `${words[0]} ` : name)
  put("span", words.length > 1 ? "" : "narrow", side, words.length > 1 ? words[1] : "0") // the embedding is depth 0
  if (words.length > 2) put("span", "word", side, ` ${words.slice(2).join(" ")}`)
}

function build(state, data) {
  state.grid.replaceChildren()
  state.cells = new Array(data.tops.length)
  state.grid.style.setProperty("--columns", String(data.tokens.length))
  columnHeads(state, data)
  const columns = data.tokens.length
  for (let depth = data.depths.length - 1; depth >= 0; depth -= 1) {
    const line = put("div", "lensLine", state.grid)
    line.setAttribute("role", "row")
    sideHead(line, data.depths[depth])
    for (let place = 0; place < columns; place += 1) {
      const cell = put("button", "lensCell", line)
      cell.type = "button"
      cell.setAttribute("role", "gridcell")
      cell.tabIndex = -1
      cell.dataset.at = String(depth * columns + place)
      state.cells[depth * columns + place] = cell
    }
  }
}

// ``texts`` false: the cells say the same as before, only the cell in view may differ.
function paint(state, data, texts) {
  const columns = data.tokens.length
  state.cells.forEach((cell, at) => {
    const place = at % columns
    const depth = (at - place) / columns
    const text = data.texts[data.tops[at]]
    const picked = depth === data.picked[0] && place + data.first === data.picked[1]
    cell.classList.toggle("picked", picked)
    cell.setAttribute("aria-selected", picked ? "true" : "false")
    if (!texts) return
    cell.textContent = text
    cell.classList.toggle("leads", depth >= data.leads[place])
    cell.setAttribute("aria-label", linesOf(data, at).join(", "))
  })
}

function linesOf(data, at) {
  const columns = data.tokens.length
  const place = at % columns
  const depth = (at - place) / columns
  return [
    `${data.depths[depth]}, after ${data.tokens[place]} (position ${data.first + place})`,
    `${data.texts[data.tops[at]]} ${data.probabilities[at]}` + (depth >= data.leads[place] ? ", the answer's token from here on" : ""),
    `entropy ${data.entropies[at]} nats, KL to the answer ${data.divergences[at]} nats`,
  ]
}

function colour(state, data) {
  const chosen = chosenOf(LENS_COLOURS)
  if (!chosen) return // the page has not told yet
  const shades = data.shades[chosen]
  state.cells.forEach((cell, at) => {
    const [ground, ink] = shades[at] < 0 ? ["", ""] : data.palette[shades[at]]
    cell.style.background = ground
    cell.style.color = ink
  })
  key(state, data.legends[chosen])
  state.root.dataset.painted = String(Number(state.root.dataset.painted || 0) + 1) // so that a painted picture can be waited for
}

function key(state, legend) {
  state.key.replaceChildren()
  const scale = put("span", "", state.key)
  put("span", "", scale, legend.low)
  const ramp = put("span", "ramp", scale)
  ramp.style.background = `linear-gradient(90deg, ${legend.stops.join(", ")})`
  put("span", "", scale, legend.high)
  put("span", "", state.key, `Shows ${legend.means}.`)
  const marks = put("span", "", state.key)
  put("span", "mark", marks, "underlined")
  put("span", "", marks, ": from here on the answer's own token")
}

// Sideways and within the grid only: the page itself stays where it is.
function bringIntoView(state) {
  const cell = state.cells[state.cursor]
  const scroll = state.root.querySelector(".lensScroll")
  const box = scroll.getBoundingClientRect()
  const at = cell.getBoundingClientRect()
  if (at.right > box.right) scroll.scrollLeft += at.right - box.right + 2
}

const ACROSS = { ArrowRight: 1, ArrowLeft: -1 }
const UP = { ArrowUp: 1, ArrowDown: -1 }

function setUpLens(parentElement) {
  const root = parentElement.querySelector(".lens")
  const state = { root, key: root.querySelector(".lensKey"), grid: root.querySelector(".lensGrid"), cells: [], cursor: 0, built: "" }
  state.card = makeCard(root)
  state.walkTo = (at, focus) => {
    if (state.cells[state.cursor]) state.cells[state.cursor].tabIndex = -1
    state.cursor = Math.max(0, Math.min(at, state.cells.length - 1))
    const cell = state.cells[state.cursor]
    if (!cell) return
    cell.tabIndex = 0
    if (focus) cell.focus()
  }
  const show = (event) => {
    const cell = event.target.closest(".lensCell")
    if (!cell) return
    if (event.type === "focusin") state.walkTo(Number(cell.dataset.at), false)
    fillCard(state.card, { lines: linesOf(state.data, Number(cell.dataset.at)), table: [] })
    placeCard(state.card, cell, state.root)
  }
  state.grid.addEventListener("mouseover", show)
  state.grid.addEventListener("focusin", show)
  state.grid.addEventListener("mouseleave", () => { state.card.hidden = true })
  state.grid.addEventListener("focusout", () => { state.card.hidden = true })
  state.grid.addEventListener("click", (event) => {
    const cell = event.target.closest(".lensCell")
    if (cell) state.pick(Number(cell.dataset.at))
  })
  state.grid.addEventListener("keydown", (event) => walkByKey(state, event))
  followChosen(root, LENS_COLOURS, () => colour(state, state.data))
  saveWhenAsked(root, "lens", () => lensPicture(state))
  return state
}

function walkByKey(state, event) {
  const columns = state.data.tokens.length
  const place = state.cursor % columns
  let target = null
  if (event.key in ACROSS) target = place + ACROSS[event.key] >= 0 && place + ACROSS[event.key] < columns ? state.cursor + ACROSS[event.key] : null
  else if (event.key in UP) {
    const next = state.cursor + UP[event.key] * columns
    target = next >= 0 && next < state.cells.length ? next : null
  } else if (event.key === "Home") target = state.cursor - place
  else if (event.key === "End") target = state.cursor - place + columns - 1
  else if (event.key === "PageUp") target = state.cells.length - columns + place
  else if (event.key === "PageDown") target = place
  else if (event.key === "Escape") state.card.hidden = true
  else return
  event.preventDefault()
  event.stopPropagation()
  if (target !== null) state.walkTo(target, true)
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  let state = lenses.get(parentElement)
  if (!state) {
    state = setUpLens(parentElement)
    lenses.set(parentElement, state)
  }
  state.data = data
  state.pick = (at) => setTriggerValue("picked", { at, version: data.version })
  state.grid.setAttribute("aria-label", data.description)
  const built = `${data.tokens.length}:${data.depths.length}:${data.version}`
  let fresh = false
  if (state.built !== built) {
    build(state, data)
    state.built = built
    state.walkTo(data.picked[0] * data.tokens.length + data.picked[1] - data.first, false)
    fresh = true
  }
  paint(state, data, fresh)
  colour(state, data)
  if (fresh) bringIntoView(state) // once the texts have given the columns their widths
}
