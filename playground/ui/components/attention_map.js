// All layers by all heads: one image, and above it one real button a head. Arrow keys move the lock, a click sets it.
import { BLANK_BYTE, SCALE_CHOICE, TOP_BYTE, bytesOf, headTargetOf, paintTriangle, palette, tileSize, triangle } from "./attention_core.js"
import { LOCKED, scaleOf } from "./attention_heat.js"
import { consume, countPainting, make, makeButton, resizeList, stateOf } from "./dom.js"
import { followChoice, listenWhileShown } from "./event_bus.js"
import { canvasOf, cssRamp, sharp } from "./picture.js"
import { attachCard, fillCard, makeCard } from "./tooltip.js"

const PREVIEW = 168

function composeMap(data) {
  const codes = data.bytes || bytesOf(data.codes)
  const table = palette(TOP_BYTE, data, scaleOf(data), data.top)
  return data.places.map((_, index) => {
    const image = new ImageData(data.side, data.side)
    paintTriangle(image, codes, index * triangle(data.side), data.side, table, BLANK_BYTE)
    return canvasOf(image)
  })
}

function drawMap(state) {
  const { data, images } = state
  if (!state.root.clientWidth || !scaleOf(data)) return
  const size = tileSize(state.root.clientWidth, data.layers.length)
  state.board.style.setProperty("--size", `${size}px`)
  state.board.style.setProperty("--columns", data.layers.length)
  state.board.style.setProperty("--rows", data.heads)
  const context = sharp(state.canvas, size * data.layers.length, size * data.heads)
  context.imageSmoothingEnabled = data.side > size * (window.devicePixelRatio || 1)
  context.imageSmoothingQuality = "high"
  data.places.forEach(([column, row], index) => {
    context.drawImage(images[index], column * size + 1, row * size + 1, size - 2, size - 2)
  })
}

function fillPreview({ data, card, images }, index) {
  fillCard(card, { lines: data.lines[index] })
  if (data.side < 2 || !images.length) return
  const canvas = make("canvas")
  card.prepend(canvas)
  sharp(canvas, PREVIEW, PREVIEW).drawImage(images[index], 0, 0, PREVIEW, PREVIEW)
}

function mark(state, layer, head) {
  const { data, scroll } = state
  const column = data.layers.indexOf(layer)
  const index = data.places.findIndex(([at, row]) => at === column && row === head)
  const looks = state.buttons.map((_, at) => `${at === Math.max(index, 0) ? 0 : -1} ${at === index}`)
  state.buttons.forEach((button, at) => {
    if (button.looks === looks[at]) return // all but two of some hundred
    button.looks = looks[at]
    button.tabIndex = at === Math.max(index, 0) ? 0 : -1
    button.setAttribute("aria-pressed", String(at === index))
    button.classList.toggle("locked", at === index)
  })
  if (index < 0) return
  const { offsetLeft, offsetWidth } = state.buttons[index]
  if (offsetLeft < scroll.scrollLeft || offsetLeft + offsetWidth > scroll.scrollLeft + scroll.clientWidth) {
    scroll.scrollLeft = offsetLeft - scroll.clientWidth / 2
  }
}

function lock(state, index) {
  const [column, head] = state.data.places[index]
  mark(state, state.data.layers[column], head)
  state.send({ layer: state.data.layers[column], head })
}

function makeTile(state, index) {
  const button = makeButton("tile", state.board)
  button.onclick = () => lock(state, index)
  attachCard(button, state.card, state.root, () => fillPreview(state, index))
  button.onkeydown = (event) => {
    if (event.key === "Escape") state.card.hidden = true
    if (!event.key.startsWith("Arrow")) return
    consume(event)
    const next = headTargetOf(event.key, index, state.data.places)
    if (next < 0) return
    state.buttons[next].focus()
    lock(state, next)
  }
  return button
}

function addName(state, side, text, column, row) {
  const name = make("span", `name ${side}`, state.board, text)
  name.style.gridColumn = column
  name.style.gridRow = row
  name.setAttribute("aria-hidden", "true")
  return name
}

function fillMap(state) {
  const { data } = state
  resizeList(state.buttons, data.places.length, (index) => makeTile(state, index))
  data.places.forEach(([column, row], index) => {
    const button = state.buttons[index]
    button.style.gridColumn = column + 2
    button.style.gridRow = row + 2
    button.setAttribute("aria-label", data.lines[index].join(", "))
  })
  for (const name of state.names) name.remove()
  const every = data.layers.length > 40 ? 5 : 1
  const named = data.layers.map((layer, column) => [layer, column]).filter(([, column]) => column % every === 0)
  state.names = named.map(([layer, column]) => addName(state, "top", String(layer), column + 2, 1))
  for (let row = 0; row < data.heads; row++) state.names.push(addName(state, "side", String(row), 1, row + 2))
}

function setUpMap(parentElement) {
  const root = parentElement.querySelector(".map")
  const state = { root, buttons: [], names: [], images: [], legend: make("div", "legend", root) }
  state.scroll = make("div", "scroll", root)
  state.board = make("div", "board", state.scroll)
  state.canvas = make("canvas", "image", state.board)
  state.board.setAttribute("role", "group")
  state.card = makeCard(root)
  new ResizeObserver(() => drawMap(state)).observe(root)
  listenWhileShown(root, LOCKED, (place) => { if (state.data) mark(state, ...place) })
  followChoice(root, SCALE_CHOICE, () => { if (!state.data.scale) recolourMap(state) })
  return state
}

// What another colour scale changes. Nothing before the page has told which it is.
function recolourMap(state) {
  const { data, legend } = state
  const scale = scaleOf(data)
  if (!scale) return
  state.images = composeMap(data)
  const [low, high] = data.ends[scale]
  legend.replaceChildren()
  make("span", "end", legend, "layers → · heads ↓")
  make("span", "end", legend, low)
  make("span", "bar", legend).style.background = cssRamp(data.colours)
  make("span", "end", legend, high)
  drawMap(state)
  countPainting(state.root)
}

export default function attentionMap({ data, parentElement, setTriggerValue }) {
  const state = stateOf(parentElement, setUpMap)
  state.send = (place) => setTriggerValue("locked", place)
  state.data = data
  state.board.setAttribute("aria-label", data.description)
  fillMap(state)
  recolourMap(state)
  mark(state, ...data.locked)
}
