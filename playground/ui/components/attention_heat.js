// One heatmap: where its cells are, its names, its marks. Its state is the view's, in attention_view.js.
const FONT = "11px ui-monospace, Menlo, Consolas, monospace"
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }

function weightAt(panel, query, key) {
  if (key > query) return null
  const code = panel.words[cellAt(query, key)]
  return code === BLANK_WORD ? null : (code / TOP_WORD) ** 2
}

const nameOf = (state, index) => `${state.data.start + index} ${state.data.tokens[index]}`

const readPanel = (panel) => ({ ...panel, words: panel.words || wordsOf(bytesOf(panel.codes)) })

function colourPanel(data, panel) {
  const side = data.tokens.length
  const image = new ImageData(side, side)
  paintTriangle(image, panel.words, 0, side, palette(TOP_WORD, data, panel.top), BLANK_WORD, 0, 0)
  panel.image = offscreen(image)
}

function makeHeat(state) {
  const box = made("figure", "heat", state.grid)
  const heat = { box, title: made("figcaption", "title", box), frame: made("div", "frame", box) }
  heat.base = made("canvas", "base", heat.frame)
  heat.over = made("canvas", "over", heat.frame)
  heat.tip = made("div", "tip", heat.frame)
  heat.tip.hidden = true
  heat.note = made("p", "note", box)
  heat.frame.tabIndex = 0
  heat.frame.setAttribute("role", "application")
  heat.frame.setAttribute("aria-roledescription", "heatmap, arrow keys walk its cells")
  heat.frame.onpointermove = heat.frame.onpointerdown = (event) => {
    const [query, key] = cellUnder(state, heat, event)
    if (event.type === "pointerdown" && query >= 0) state.pick(query)
    state.point(query, key)
  }
  heat.frame.onpointerleave = () => state.point(-1, -1)
  heat.frame.onblur = () => state.point(-1, -1)
  heat.frame.onfocus = () => state.point(...state.cell)
  heat.frame.onkeydown = (event) => walkCells(state, event)
  return heat
}

function cellUnder(state, heat, event) {
  const box = heat.over.getBoundingClientRect()
  const side = state.data.tokens.length
  const key = Math.floor((event.clientX - box.left - heat.left) / heat.size)
  const query = Math.floor((event.clientY - box.top - heat.head) / heat.size)
  return query < 0 || query >= side || key < 0 || key > query ? [-1, -1] : [query, key]
}

function walkCells(state, event) {
  const last = state.data.tokens.length - 1
  let [query, key] = state.cell
  if (event.key in ARROWS) [query, key] = [query + ARROWS[event.key][0], key + ARROWS[event.key][1]]
  else if (event.key === "Home") key = 0
  else if (event.key === "End") key = query
  else if (event.key === "Enter") state.pick(query)
  else return
  event.preventDefault()
  event.stopPropagation()
  query = Math.max(0, Math.min(query, last))
  state.cell = [query, Math.max(0, Math.min(key, query))]
  state.point(...state.cell)
}

// Room for names at the left and the bottom, a size of cell, and which names fit.
function measure(state, heat, width, context) {
  const side = state.data.tokens.length
  context.font = FONT
  const longest = Math.max(...state.data.tokens.map((_, index) => context.measureText(nameOf(state, index)).width))
  heat.names = Math.min(longest + 10, 110, width * 0.28)
  heat.left = heat.names
  heat.size = Math.max(0.5, Math.min(34, (width - heat.names - 14) / side))
  heat.head = Math.max(2, 8 - heat.size / 2) // the first name is taller than a small cell
  heat.every = Math.max(1, Math.ceil(12 / heat.size))
}

function drawName(context, heat, text, index, side, down, bold) {
  const middle = (index + 0.5) * heat.size
  context.save()
  if (bold) context.font = `bold ${context.font}`
  if (down) {
    context.translate(heat.left + middle + 3, heat.head + side * heat.size + 5)
    context.rotate(-Math.PI / 3)
    context.textAlign = "right"
    context.textBaseline = "middle"
  } else {
    context.translate(heat.left - 5, heat.head + middle)
    context.textAlign = "right"
    context.textBaseline = "middle"
  }
  context.fillText(fitted(context, text, heat.names - 8), 0, 0)
  context.restore()
}

function drawHeat(state, heat, panel, width) {
  const side = state.data.tokens.length
  measure(state, heat, width, heat.base.getContext("2d"))
  const extent = side * heat.size
  const context = sharp(heat.base, width, heat.head + extent + heat.names * 0.87 + 12)
  context.font = FONT
  context.drawImage(panel.image, heat.left, heat.head, extent, extent)
  context.strokeStyle = state.ink
  context.globalAlpha = 0.35
  context.strokeRect(heat.left + 0.5, heat.head + 0.5, extent - 1, extent - 1)
  context.globalAlpha = 1
  context.fillStyle = state.ink
  for (let index = 0; index < side; index += heat.every) {
    drawName(context, heat, nameOf(state, index), index, side, false, false)
    drawName(context, heat, nameOf(state, index), index, side, true, false)
  }
  heat.frame.style.height = heat.base.style.height
  heat.title.textContent = panel.title
  heat.note.textContent = panel.note
  heat.note.hidden = !panel.note
  heat.frame.setAttribute("aria-label", panel.description)
  heat.frame.dataset.cell = String(heat.size)
  heat.frame.dataset.left = String(heat.left)
  heat.frame.dataset.top = String(heat.head)
}

// The value beside the cell, kept inside the frame.
function placeTip(state, heat, panel) {
  heat.tip.hidden = state.key < 0
  if (state.key < 0) return
  const weight = weightAt(panel, state.active, state.key)
  heat.tip.textContent = `${nameOf(state, state.active)} → ${nameOf(state, state.key)}: ${weight === null ? "hidden" : percentText(weight, state.data.coarse)}`
  const left = heat.left + (state.key + 1) * heat.size + 8
  const room = heat.frame.clientWidth - heat.tip.offsetWidth
  heat.tip.style.left = `${Math.max(0, Math.min(left, room))}px`
  heat.tip.style.top = `${Math.max(0, heat.head + state.active * heat.size - heat.tip.offsetHeight - 6)}px`
}

// The marks above a heatmap: the active row and column, their names, the cell.
function drawMarks(state, heat, panel) {
  const side = state.data.tokens.length
  const extent = side * heat.size
  const context = sharp(heat.over, parseFloat(heat.base.style.width), parseFloat(heat.base.style.height))
  context.font = FONT
  placeTip(state, heat, panel)
  const row = state.active
  if (row < 0) return
  const key = state.key
  const line = (left, top, width, height) => {
    context.strokeStyle = state.ground
    context.lineWidth = 3.5
    context.strokeRect(left, top, width, height)
    context.strokeStyle = state.ink
    context.lineWidth = 1.5
    context.strokeRect(left, top, width, height)
  }
  const [left, top, size] = [heat.left, heat.head, heat.size]
  line(left, top + row * size, (row + 1) * size, size)
  const column = key < 0 ? row : key
  if (key >= 0) line(left + key * size, top + row * size, size, size)
  else line(left + row * size, top + row * size, size, extent - row * size)
  for (const [index, down] of [[row, false], [column, true]]) {
    context.fillStyle = state.ground
    if (down) {
      // the name is drawn slanted; a plate under it keeps it apart from its neighbours
      context.save()
      context.translate(left + (index + 0.5) * size + 3, top + extent + 5)
      context.rotate(-Math.PI / 3)
      context.fillRect(-heat.names, -8, heat.names + 2, 16)
      context.restore()
    } else context.fillRect(0, top + (index + 0.5) * size - 8, left - 1, 16)
    context.fillStyle = state.ink
    drawName(context, heat, nameOf(state, index), index, side, down, true)
  }
}
