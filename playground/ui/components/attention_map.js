// All layers by all heads: one image, and above it one real button a head. Arrow keys move the lock, a click sets it.
const maps = new WeakMap()
const STEPS_IN_MAP = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }
const PREVIEW = 168

function composeMap(data) {
  const codes = data.bytes || bytesOf(data.codes)
  const table = palette(TOP_BYTE, data, data.top)
  const cells = (data.side * (data.side + 1)) / 2
  return data.places.map((_, index) => {
    const image = new ImageData(data.side, data.side)
    paintTriangle(image, codes, index * cells, data.side, table, BLANK_BYTE, 0, 0)
    return offscreen(image)
  })
}

function tileSize(state) {
  const room = state.root.clientWidth - 34 // the heads' numbers and the scroll area's edge
  return Math.max(16, Math.min(46, Math.floor(room / state.data.layers.length)))
}

function drawMap(state) {
  const { data, images } = state
  if (!state.root.clientWidth || !scaleOf(data)) return
  const size = tileSize(state)
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

function preview(state, index) {
  const { data, card, images } = state
  fillCard(card, { lines: data.lines[index], table: [] })
  if (data.side > 1 && images.length) {
    const canvas = document.createElement("canvas")
    card.prepend(canvas)
    sharp(canvas, PREVIEW, PREVIEW).drawImage(images[index], 0, 0, PREVIEW, PREVIEW)
  }
  placeCard(card, state.buttons[index], state.root)
}

function mark(state, layer, head) {
  const { data } = state
  const column = data.layers.indexOf(layer)
  const index = data.places.findIndex(([at, row]) => at === column && row === head)
  state.buttons.forEach((button, at) => {
    button.tabIndex = at === (index < 0 ? 0 : index) ? 0 : -1
    button.setAttribute("aria-pressed", at === index ? "true" : "false")
    button.classList.toggle("locked", at === index)
  })
  state.at = index
  if (index >= 0) {
    const at = state.buttons[index]
    const { scroll } = state
    if (at.offsetLeft < scroll.scrollLeft || at.offsetLeft + at.offsetWidth > scroll.scrollLeft + scroll.clientWidth) {
      scroll.scrollLeft = at.offsetLeft - scroll.clientWidth / 2
    }
  }
}

function lock(state, index) {
  const [column, head] = state.data.places[index]
  mark(state, state.data.layers[column], head)
  state.send({ layer: state.data.layers[column], head })
}

function makeTile(state, index) {
  const button = made("button", "tile", state.board)
  button.type = "button"
  button.onclick = () => lock(state, index)
  button.onmouseenter = button.onfocus = () => preview(state, index)
  button.onmouseleave = button.onblur = () => { state.card.hidden = true }
  button.onkeydown = (event) => {
    if (event.key === "Escape") state.card.hidden = true
    if (!(event.key in STEPS_IN_MAP)) return
    event.preventDefault()
    event.stopPropagation()
    const [column, row] = state.data.places[index]
    const [right, down] = STEPS_IN_MAP[event.key]
    const next = state.data.places.findIndex(([at, head]) => at === column + right && head === row + down)
    if (next < 0) return
    state.buttons[next].focus()
    lock(state, next)
  }
  return button
}

function fillMap(state) {
  const { data } = state
  while (state.buttons.length > data.places.length) state.buttons.pop().remove()
  while (state.buttons.length < data.places.length) state.buttons.push(makeTile(state, state.buttons.length))
  data.places.forEach(([column, row], index) => {
    const button = state.buttons[index]
    button.style.gridColumn = column + 2
    button.style.gridRow = row + 2
    button.setAttribute("aria-label", data.lines[index].join(", "))
  })
  state.names.forEach((name) => name.remove())
  state.names = []
  const every = data.layers.length > 40 ? 5 : 1
  data.layers.forEach((layer, column) => {
    if (column % every) return
    const name = made("span", "name top", state.board, String(layer))
    name.style.gridColumn = column + 2
    name.style.gridRow = 1
    state.names.push(name)
  })
  for (let row = 0; row < data.heads; row++) {
    const name = made("span", "name side", state.board, String(row))
    name.style.gridColumn = 1
    name.style.gridRow = row + 2
    state.names.push(name)
  }
  state.names.forEach((name) => name.setAttribute("aria-hidden", "true"))
}

function setUpMap(parentElement) {
  const root = parentElement.querySelector(".map")
  const state = { root, buttons: [], names: [], images: [], at: -1 }
  state.legend = made("div", "legend", root)
  const scroll = state.scroll = made("div", "scroll", root)
  state.board = made("div", "board", scroll)
  state.canvas = made("canvas", "image", state.board)
  state.board.setAttribute("role", "group")
  state.card = makeCard(root)
  new ResizeObserver(() => drawMap(state)).observe(root)
  window.addEventListener(LOCKED, (event) => { if (root.isConnected && state.data) mark(state, ...event.detail) })
  followChosen(root, COLOURS, () => { if (!state.data.scale) recolourMap(state) })
  return state
}

// What another colour scale changes. Nothing before the page has told which it is.
function recolourMap(state) {
  const { data } = state
  const scale = scaleOf(data)
  if (!scale) return
  state.images = composeMap(data)
  const [low, high] = data.ends[scale]
  state.legend.replaceChildren()
  made("span", "end", state.legend, "layers → · heads ↓")
  made("span", "end", state.legend, low)
  made("span", "bar", state.legend).style.background = `linear-gradient(90deg, ${data.colours.join(", ")})`
  made("span", "end", state.legend, high)
  drawMap(state)
  state.root.dataset.painted = String(Number(state.root.dataset.painted || 0) + 1) // so that a painted picture can be waited for
}

function attentionMap(component) {
  const { data, parentElement, setTriggerValue } = component
  let state = maps.get(parentElement)
  if (!state) {
    state = setUpMap(parentElement)
    maps.set(parentElement, state)
  }
  state.send = (place) => setTriggerValue("locked", place)
  state.data = data
  state.board.setAttribute("aria-label", data.description)
  fillMap(state)
  recolourMap(state)
  mark(state, ...data.locked)
}
