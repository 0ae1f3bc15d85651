// One heatmap: where its cells are, its names, its marks. Its state is the view's, in attention_view.js.
import {
  BLANK_WORD, SCALE_CHOICE, TOP_WORD, bytesOf, cellTargetOf, cellUnder, heatLayout, paintTriangle, palette, percentText, weightAt, wordsOf,
} from "./attention_core.js"
import { clamp, consume, make } from "./dom.js"
import { choiceOf } from "./event_bus.js"
import { canvasOf, fitted, sharp } from "./picture.js"

export const LOCKED = "playground-attention-locked" // the event that tells the overview which head is shown
const FONT = "11px ui-monospace, Menlo, Consolas, monospace"
const SLANT = -Math.PI / 3

// The scale a picture is coloured by: its own, or the one chosen on the page; undefined until that has been told.
export const scaleOf = (data) => data.scale ?? choiceOf(SCALE_CHOICE)

export const nameOf = (state, index) => `${state.data.start + index} ${state.data.tokens[index]}`

export const readPanel = (panel) => ({ ...panel, words: panel.words || wordsOf(bytesOf(panel.codes)) })

export function colourPanel(data, panel) {
  const side = data.tokens.length
  const image = new ImageData(side, side)
  paintTriangle(image, panel.words, 0, side, palette(TOP_WORD, data, scaleOf(data), panel.top), BLANK_WORD)
  panel.image = canvasOf(image)
}

export function makeHeat(state) {
  const box = make("figure", "heat", state.grid)
  const heat = { box, title: make("figcaption", "title", box), frame: make("div", "frame", box) }
  heat.base = make("canvas", "base", heat.frame)
  heat.over = make("canvas", "over", heat.frame)
  heat.tip = make("div", "tip", heat.frame)
  heat.tip.hidden = true
  heat.note = make("p", "note", box)
  heat.frame.tabIndex = 0
  heat.frame.setAttribute("role", "application")
  heat.frame.setAttribute("aria-roledescription", "heatmap, arrow keys walk its cells")
  heat.frame.onpointermove = heat.frame.onpointerdown = (event) => {
    const box = heat.over.getBoundingClientRect()
    const [query, key] = cellUnder(event.clientX - box.left, event.clientY - box.top, heat.layout, state.data.tokens.length)
    if (event.type === "pointerdown" && query >= 0) state.pick(query)
    state.point(query, key)
  }
  heat.frame.onpointerleave = heat.frame.onblur = () => state.point(-1, -1)
  heat.frame.onfocus = () => state.point(...state.cell)
  heat.frame.onkeydown = (event) => walkCells(state, event)
  return heat
}

function walkCells(state, event) {
  const target = event.key === "Enter" ? state.cell : cellTargetOf(event.key, state.cell, state.data.tokens.length)
  if (target === null) return
  consume(event)
  if (event.key === "Enter") state.pick(state.cell[0])
  state.cell = target
  state.point(...target)
}

// A name beside its row, or slanted below its column (`down`), in a drawing context whose origin is its end.
function atName(context, { left, head, size }, index, side, down, draw) {
  const middle = (index + 0.5) * size
  context.save()
  if (down) {
    context.translate(left + middle + 3, head + side * size + 5)
    context.rotate(SLANT)
  } else context.translate(left - 5, head + middle)
  draw()
  context.restore()
}

function drawName(context, layout, text, index, side, down, bold) {
  atName(context, layout, index, side, down, () => {
    if (bold) context.font = `bold ${context.font}`
    context.textAlign = "right"
    context.textBaseline = "middle"
    context.fillText(fitted(context, text, layout.names - 8), 0, 0)
  })
}

function longestName(state, context) {
  context.font = FONT
  return Math.max(...state.data.tokens.map((_, index) => context.measureText(nameOf(state, index)).width))
}

export function drawHeat(state, heat, panel, width) {
  const side = state.data.tokens.length
  const layout = heat.layout = heatLayout(width, side, longestName(state, heat.base.getContext("2d")))
  const { left, head, size } = layout
  const extent = side * size
  const context = sharp(heat.base, width, head + extent + layout.names * 0.87 + 12) // 0.87: the sine of the slant
  context.font = FONT
  context.drawImage(panel.image, left, head, extent, extent)
  context.strokeStyle = state.ink
  context.globalAlpha = 0.35
  context.strokeRect(left + 0.5, head + 0.5, extent - 1, extent - 1)
  context.globalAlpha = 1
  context.fillStyle = state.ink
  for (let index = 0; index < side; index += layout.every) {
    for (const down of [false, true]) drawName(context, layout, nameOf(state, index), index, side, down, false)
  }
  describeHeat(heat, panel)
}

function describeHeat(heat, panel) {
  heat.frame.style.height = heat.base.style.height
  heat.title.textContent = panel.title
  heat.note.textContent = panel.note
  heat.note.hidden = !panel.note
  heat.frame.setAttribute("aria-label", panel.description)
  heat.frame.dataset.cell = String(heat.layout.size)
  heat.frame.dataset.left = String(heat.layout.left)
  heat.frame.dataset.top = String(heat.layout.head)
}

// The value beside the cell, kept inside the frame.
function placeTip(state, heat, panel) {
  const { active, key } = state
  const { left, head, size } = heat.layout
  heat.tip.hidden = key < 0
  if (key < 0) return
  const weight = percentText(weightAt(panel.words, active, key), state.data.coarse)
  heat.tip.textContent = `${nameOf(state, active)} → ${nameOf(state, key)}: ${weight}`
  const room = heat.frame.clientWidth - heat.tip.offsetWidth
  heat.tip.style.left = `${clamp(left + (key + 1) * size + 8, 0, Math.max(0, room))}px`
  heat.tip.style.top = `${Math.max(0, head + active * size - heat.tip.offsetHeight - 6)}px`
}

// The marks above a heatmap: the active row and column, their names, the cell.
export function drawMarks(state, heat, panel) {
  const { active: row, key } = state
  const context = sharp(heat.over, parseFloat(heat.base.style.width), parseFloat(heat.base.style.height))
  context.font = FONT
  placeTip(state, heat, panel)
  if (row < 0) return
  const { left, head, size } = heat.layout
  const side = state.data.tokens.length
  outline(context, state, left, head + row * size, (row + 1) * size, size)
  if (key >= 0) outline(context, state, left + key * size, head + row * size, size, size)
  else outline(context, state, left + row * size, head + row * size, size, (side - row) * size)
  for (const [index, down] of [[row, false], [key < 0 ? row : key, true]]) {
    drawPlate(context, state, heat.layout, index, down)
    context.fillStyle = state.ink
    drawName(context, heat.layout, nameOf(state, index), index, side, down, true)
  }
}

function outline(context, state, left, top, width, height) {
  for (const [colour, line] of [[state.ground, 3.5], [state.ink, 1.5]]) {
    context.strokeStyle = colour
    context.lineWidth = line
    context.strokeRect(left, top, width, height)
  }
}

// A plate under an active name keeps it apart from its neighbours.
function drawPlate(context, state, layout, index, down) {
  context.fillStyle = state.ground
  atName(context, layout, index, state.data.tokens.length, down, () => {
    context.fillRect(-layout.names, -8, layout.names + (down ? 2 : 4), 16)
  })
}
