// Curves and bars as SVG, placed by light_layout.js. The pointer, or arrow keys on the focused chart, show a point's values.
import { clamp, make, stateOf } from "./dom.js"
import {
  barText, firstBaseline, nearest, noteSide, pathOf, pictureHeight, placeMarks, plotBox, shortened, sparseTicks, spotTargetOf, spotsOf,
} from "./light_layout.js"
import { fillCard, makeCard } from "./tooltip.js"

const SVG = "http://www.w3.org/2000/svg"
const DASHES = { dash: "9 6", dot: "2 4", dashdot: "9 4 2 4", longdash: "14 6", longdashdot: "14 5 2 5" }
const ANCHORS = { left: "start", center: "middle", right: "end" }
const CLIP = "clip-plot"

function add(parent, tag, attributes, text) {
  const node = document.createElementNS(SVG, tag)
  for (const name in attributes) node.setAttribute(name, attributes[name])
  if (text !== undefined) node.textContent = text
  parent.append(node)
  return node
}

// Lines of text below, around or above (x, y).
function addWords(parent, text, x, y, attributes = {}, up = "middle") {
  const lines = text.split("\n"), size = attributes["font-size"] || 12
  const first = firstBaseline(y, lines.length, size, up)
  lines.forEach((line, index) => add(parent, "text", { x, y: first + index * size * 1.15, ...attributes }, line))
}

function drawAxes(svg, { x: across, y: up }, box) {
  const { x, y, left, right, top, bottom, height } = box
  for (const [at, text] of sparseTicks(across.ticks, x)) {
    add(svg, "line", { class: "grid", x1: x(at), x2: x(at), y1: top, y2: bottom })
    if (text) add(svg, "text", { x: x(at), y: bottom + 16, "text-anchor": "middle" }, text)
  }
  for (const [at, text] of up.ticks) {
    if (up.grid) add(svg, "line", { class: "grid", x1: left, x2: right, y1: y(at), y2: y(at) })
    const tick = add(svg, "text", { x: left - 6, y: y(at) + 4, "text-anchor": "end" }, shortened(text, left - 8))
    if (tick.textContent !== text) add(tick, "title", {}, text)
  }
  const middle = (top + bottom) / 2, title = { class: "title", "text-anchor": "middle" }
  add(svg, "text", { ...title, x: (left + right) / 2, y: height - 8 }, across.title)
  if (up.title) add(svg, "text", { ...title, x: 14, y: middle, transform: `rotate(-90 14 ${middle})` }, up.title)
}

function drawBar(svg, bar, box) {
  const [from, to] = [box.x(Math.min(bar.x[0], 1)), box.x(clamp(bar.x[1], 0, 1))]
  const [high, low] = [box.y(bar.y[1]), box.y(bar.y[0])]
  const edge = bar.edge ? "rgba(140,145,156,0.9)" : "none"
  if (to > from) {
    add(svg, "rect", { class: "bar", x: from, y: high, width: to - from, height: low - high, fill: bar.colour, stroke: edge, "stroke-width": 0.7 })
  }
  const place = bar.text ? barText(bar, box) : null
  if (!place) return
  const ink = place.anchor === "start" ? {} : { style: `fill:${bar.ink}${bar.inside ? ";font-size:11px" : ""}` }
  addWords(svg, bar.text, place.at, (high + low) / 2, { ...ink, "text-anchor": place.anchor })
}

function drawLines(svg, data, box) {
  const frame = { x: box.left, y: box.top - 2, width: box.right - box.left, height: box.bottom - box.top + 4 }
  add(add(add(svg, "defs", {}), "clipPath", { id: CLIP }), "rect", frame)
  const inner = add(svg, "g", { "clip-path": `url(#${CLIP})` })
  for (const line of data.lines) {
    add(inner, "path", { class: "curve", d: pathOf(line.x, line.y, box), fill: "none", stroke: line.colour, "stroke-width": line.width,
      "stroke-dasharray": DASHES[line.dash] || "none", "stroke-linejoin": "round" })
  }
  for (const { x, y, colour, width } of data.rules) {
    add(inner, "line", { x1: box.x(x[0]), x2: box.x(x[1]), y1: box.y(y[0]), y2: box.y(y[1]), stroke: colour, "stroke-width": width,
      "stroke-dasharray": DASHES.dash })
  }
}

function drawMark(svg, { mark, at, high, half, label }) {
  const shape = { class: "mark", fill: mark.colour }
  const diamond = `M${at} ${high - half}L${at + half} ${high}L${at} ${high + half}L${at - half} ${high}Z`
  if (mark.diamond) add(svg, "path", { ...shape, d: diamond })
  else add(svg, "circle", { ...shape, cx: at, cy: high, r: half })
  if (!label) return
  const right = label.across === "right"
  addWords(svg, mark.text, at + (right ? label.shift : -label.shift), high + { top: -half, middle: 0, bottom: half }[label.up],
    { class: "halo", "text-anchor": right ? "start" : "end", style: "font-size:11px", "font-size": 11 },
    { top: "bottom", middle: "middle", bottom: "top" }[label.up])
}

function drawNote(svg, note, box) {
  if (note.x < -0.001 || note.x > 1.001) return
  const side = noteSide(note, box)
  const style = `fill:color-mix(in srgb, ${note.colour} 55%, var(--st-text-color));font-size:${note.size}px`
  addWords(svg, note.text, box.x(note.x) + (side === "right" ? -4 : 5), box.y(note.y),
    { class: "halo", "text-anchor": ANCHORS[side], style, "font-size": note.size }, note.up)
}

// How large type is, as a multiple of the usual: the picture is laid out in usual pixels and grows with it.
const typeSize = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16

function draw(chart) {
  const { root, data, card } = chart
  const across = root.clientWidth
  if (!data || !across) return
  const scale = typeSize(), width = across / scale
  const height = pictureHeight(data, width), box = plotBox(width, height, data.margin)
  root.style.height = `${height / 16}rem`
  const svg = document.createElementNS(SVG, "svg")
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`)
  svg.setAttribute("height", height * scale)
  svg.setAttribute("aria-hidden", "true")
  drawAxes(svg, data, box)
  for (const bar of data.bars) drawBar(svg, bar, box)
  drawLines(svg, data, box)
  for (const mark of placeMarks(data.marks, box)) drawMark(svg, mark)
  for (const note of data.notes) drawNote(svg, note, box)
  if (chart.svg) chart.svg.replaceWith(svg)
  else root.prepend(svg)
  Object.assign(chart, { svg, across, scale, spots: spotsOf(data, box), at: null })
  card.hidden = true
}

function show(chart, spot) {
  const { svg, card, root, scale } = chart
  svg?.querySelector(".spot")?.remove()
  chart.at = spot
  card.hidden = !spot
  if (!spot) return
  if (!spot.bar) add(svg, "circle", { class: "spot", cx: spot.x, cy: spot.y, r: 6 })
  fillCard(card, { lines: spot.said.filter(Boolean) })
  card.style.left = `${clamp(scale * spot.x + 12, 0, Math.max(0, chart.across - card.offsetWidth))}px`
  card.style.top = `${scale * spot.y + 14}px`
  root.setAttribute("aria-description", spot.said.join(", "))
}

function setUpLight(parentElement) {
  const root = parentElement.querySelector(".light")
  const chart = { root, card: makeCard(root), spots: [], at: null }
  root.addEventListener("pointermove", (event) => {
    const box = root.getBoundingClientRect()
    const spot = nearest(chart.spots, (event.clientX - box.left) / chart.scale, (event.clientY - box.top) / chart.scale)
    if (spot !== chart.at) show(chart, spot)
  })
  for (const name of ["pointerleave", "blur"]) root.addEventListener(name, () => show(chart, null))
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") show(chart, null)
    if (!event.key.startsWith("Arrow")) return
    event.preventDefault()
    show(chart, spotTargetOf(event.key, chart.at, chart.spots))
  })
  new ResizeObserver(() => { if (root.clientWidth !== chart.across || typeSize() !== chart.scale) draw(chart) }).observe(root)
  return chart
}

function paintLegend(legend, entries) {
  legend.replaceChildren()
  for (const [name, colour] of entries) make("span", "", legend, name).style.setProperty("--look", colour)
}

export default function lightChart({ data, parentElement }) {
  const chart = stateOf(parentElement, setUpLight)
  const { root } = chart
  root.setAttribute("aria-label", data.label)
  const shown = JSON.stringify(data)
  if (chart.shown === shown && chart.across === root.clientWidth) return
  Object.assign(chart, { shown, data })
  root.style.height = `${pictureHeight(data, root.clientWidth / typeSize() || Infinity) / 16}rem`
  paintLegend(parentElement.querySelector(".legend"), data.legend)
  parentElement.querySelector(".lead strong").textContent = data.lead[0]
  parentElement.querySelector(".lead span").textContent = data.lead[1]
  parentElement.querySelector(".below").textContent = data.below
  draw(chart)
}
