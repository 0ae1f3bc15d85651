// Curves and bars as SVG, placed in shares of the plot area; see playground/charts/light.py. Texts only through
// textContent. The pointer, or arrow keys on the focused chart, show the values of a point.
const SVG = "http://www.w3.org/2000/svg"
const DASHES = { dash: "9 6", dot: "2 4", dashdot: "9 4 2 4", longdash: "14 6", longdashdot: "14 5 2 5" }
const charts = new WeakMap()

function add(parent, tag, attributes, text) {
  const node = document.createElementNS(SVG, tag)
  for (const name in attributes) node.setAttribute(name, attributes[name])
  if (text !== undefined) node.textContent = text
  parent.append(node)
  return node
}

function words(parent, text, x, y, more = {}, up = "middle") {
  const lines = text.split("\n")
  const size = more["font-size"] || 12
  const first = y + { top: size, middle: size * 0.36, bottom: -5 }[up] - (up === "top" ? 0 : (lines.length - 1) * size * (up === "middle" ? 0.58 : 1.15))
  lines.forEach((line, index) => add(parent, "text", { x, y: first + index * size * 1.15, ...more }, line))
}

const ANCHORS = { left: "start", center: "middle", right: "end" }

// How wide a text is, near enough to decide where it goes; measuring would lay the page out once for each text.
const wide = (text, size = 12) => 0.56 * size * Math.max(...text.split("\n").map((line) => line.length))

function path(xs, ys, x, y) {
  let open = false
  return xs.map((at, index) => {
    if (at === null || ys[index] === null) { open = false; return "" }
    const step = `${open ? "L" : "M"}${x(at).toFixed(1)} ${y(ys[index]).toFixed(1)}`
    open = true
    return step
  }).join("")
}

function axes(svg, data, box, x, y) {
  const { left, right, top, bottom, height } = box
  let last = -1e9
  for (const [at, text] of [...data.x.ticks].sort((one, other) => one[0] - other[0])) {
    add(svg, "line", { class: "grid", x1: x(at), x2: x(at), y1: top, y2: bottom })
    const half = wide(text) / 2
    if (x(at) - half < last + 6) continue
    last = x(at) + half
    add(svg, "text", { x: x(at), y: bottom + 16, "text-anchor": "middle" }, text)
  }
  for (const [at, text] of data.y.ticks) {
    if (data.y.grid) add(svg, "line", { class: "grid", x1: left, x2: right, y1: y(at), y2: y(at) })
    const short = wide(text) > left - 8 ? text.slice(0, Math.max(3, Math.floor((left - 8) / 6.7) - 1)) + "…" : text
    const tick = add(svg, "text", { x: left - 6, y: y(at) + 4, "text-anchor": "end" }, short)
    if (short !== text) add(tick, "title", {}, text)
  }
  add(svg, "text", { class: "title", x: (left + right) / 2, y: height - 8, "text-anchor": "middle" }, data.x.title)
  const middle = (top + bottom) / 2
  if (data.y.title) add(svg, "text", { class: "title", x: 14, y: middle, "text-anchor": "middle", transform: `rotate(-90 14 ${middle})` }, data.y.title)
  }

function bars(svg, data, box, x, y) {
  for (const bar of data.bars) {
    const [from, to] = [x(Math.min(bar.x[0], 1)), x(Math.min(Math.max(bar.x[1], 0), 1))]
    const [high, low] = [y(bar.y[1]), y(bar.y[0])]
    if (to > from)
      add(svg, "rect", { class: "bar", x: from, y: high, width: to - from, height: low - high, fill: bar.colour,
        stroke: bar.edge ? "rgba(140,145,156,0.9)" : "none", "stroke-width": 0.7 })
    if (!bar.text) continue
    const middle = (high + low) / 2
    if (bar.inside) {
      if (wide(bar.text, 11) < to - from - 4) words(svg, bar.text, (from + to) / 2, middle, { style: `fill:${bar.ink};font-size:11px`, "text-anchor": "middle" })
    } else if (to + 6 + wide(bar.text) < box.right + 12) words(svg, bar.text, to + 6, middle)
    else words(svg, bar.text, to - 6, middle, { style: `fill:${bar.ink}`, "text-anchor": "end" })
  }
}

// Labels of marks: at the place asked for, or the next one where no other label or mark stands.
const PLACES = ["top right", "bottom left", "middle right", "middle left", "top left", "bottom right"]

function labelBox(mark, at, high, place) {
  const half = mark.size / 2, size = wide(mark.text, 11), [up, across] = place.split(" ")
  const shift = up === "middle" ? half + 4 : 2
  const left = across === "right" ? at + shift : at - shift - size
  const top = { top: high - half - 16, middle: high - 6, bottom: high + half }[up]
  return { left, right: left + size, top, bottom: top + 12, up, across, shift }
}

const meet = (one, other) => one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom

function marks(svg, data, box, x, y) {
  const inside = data.marks.filter((mark) => mark.x > -0.001 && mark.x < 1.001 && mark.y > -0.001 && mark.y < 1.001)
  const taken = inside.map((mark) => {
    const half = mark.size / 2
    return { left: x(mark.x) - half, right: x(mark.x) + half, top: y(mark.y) - half, bottom: y(mark.y) + half, mark }
  })
  for (const mark of inside) {
    const [at, high, half] = [x(mark.x), y(mark.y), mark.size / 2]
    if (mark.diamond) add(svg, "path", { class: "mark", d: `M${at} ${high - half}L${at + half} ${high}L${at} ${high + half}L${at - half} ${high}Z`, fill: mark.colour })
    else add(svg, "circle", { class: "mark", cx: at, cy: high, r: half, fill: mark.colour })
    if (!mark.text) continue
    const boxes = [mark.at, ...PLACES].map((place) => labelBox(mark, at, high, place)).filter((one) => one.left > 0 && one.right < box.width)
    const free = boxes.find((one) => !taken.some((other) => other.mark !== mark && meet(one, other))) || boxes[0]
    if (!free) continue
    taken.push(free)
    words(svg, mark.text, at + (free.across === "right" ? free.shift : -free.shift), high + { top: -half, middle: 0, bottom: half }[free.up],
      { class: "halo", "text-anchor": free.across === "right" ? "start" : "end", style: "font-size:11px", "font-size": 11 },
      { top: "bottom", middle: "middle", bottom: "top" }[free.up])
  }
}

function draw(chart) {
  const { root, data, card } = chart
  const width = root.clientWidth
  if (!data || !width) return
  chart.width = width
  const [l, t, r, b] = data.margin, height = data.height
  const box = { width, height, left: l, right: Math.max(width - r, l + 40), top: t, bottom: height - b }
  const x = (share) => box.left + share * (box.right - box.left)
  const y = (share) => box.bottom - share * (box.bottom - box.top)
  const svg = document.createElementNS(SVG, "svg")
  svg.setAttribute("height", height)
  svg.setAttribute("aria-hidden", "true")
  axes(svg, data, box, x, y)
  const clip = `clip-${data.key}`
  add(add(add(svg, "defs", {}), "clipPath", { id: clip }), "rect", { x: box.left, y: box.top - 2, width: box.right - box.left, height: box.bottom - box.top + 4 })
  bars(svg, data, box, x, y)
  const inner = add(svg, "g", { "clip-path": `url(#${clip})` })
  for (const line of data.lines)
    add(inner, "path", { class: "curve", d: path(line.x, line.y, x, y), fill: "none", stroke: line.colour, "stroke-width": line.width,
      "stroke-dasharray": DASHES[line.dash] || "none", "stroke-linejoin": "round" })
  for (const rule of data.rules)
    add(inner, "line", { x1: x(rule.x[0]), x2: x(rule.x[1]), y1: y(rule.y[0]), y2: y(rule.y[1]), stroke: rule.colour, "stroke-width": rule.width, "stroke-dasharray": "9 6" })
  marks(svg, data, box, x, y)
  for (const note of data.notes) {
    const beside = note.x >= 1 && note.across === "left"
    const size = wide(note.text, note.size)
    const across = note.across === "left" && !beside && x(note.x) + size > box.right && x(note.x) > size ? "right" : note.across
    if (note.x < -0.001 || (note.x > 1.001)) continue
    words(svg, note.text, x(note.x) + (across === "right" ? -4 : 5), y(note.y),
      { class: "halo", "text-anchor": ANCHORS[across], style: `fill:color-mix(in srgb, ${note.colour} 55%, var(--st-text-color));font-size:${note.size}px`, "font-size": note.size }, note.up)
  }
  const old = root.querySelector("svg")
  old ? old.replaceWith(svg) : root.prepend(svg)
  chart.spots = spots(data, x, y)
  chart.svg = svg
  card.hidden = true
}

// Every point that can be asked for its values: where it is, which row of points it belongs to, what is said.
function spots(data, x, y) {
  const found = []
  data.lines.forEach((line, row) => line.x.forEach((at, index) => {
    if (at === null || line.y[index] === null || at < 0 || at > 1 || line.y[index] < 0 || line.y[index] > 1) return
    found.push({ x: x(at), y: y(line.y[index]), row, said: [line.name, ...says(data, line.values[index])] })
  }))
  data.marks.forEach((mark) => found.push({ x: x(mark.x), y: y(mark.y), row: data.lines.length, said: [mark.text, ...says(data, mark.values)] }))
  data.bars.forEach((bar, index) => found.push({ x: (x(bar.x[0]) + x(Math.min(bar.x[1], 1))) / 2, y: (y(bar.y[0]) + y(bar.y[1])) / 2, bar, half: Math.abs(y(bar.y[0]) - y(bar.y[1])) / 2,
    from: x(bar.x[0]), to: x(Math.min(bar.x[1], 1)), row: index, said: [bar.said[0], bar.said[1] === bar.said[0] ? bar.text : `${bar.said[1]} ${bar.said[2]} ${data.x.title}`] }))
  return found
}

const says = (data, [first, second]) => [`${data.x.title}: ${first}`, `${data.y.title}: ${second}`]

function show(chart, spot) {
  const { svg, card, root } = chart
  svg.querySelector(".spot")?.remove()
  chart.at = spot
  if (!spot) { card.hidden = true; return }
  if (!spot.bar) add(svg, "circle", { class: "spot", cx: spot.x, cy: spot.y, r: 6 })
  fillCard(card, { lines: spot.said.filter((line) => line) })
  card.hidden = false
  card.style.left = `${Math.max(0, Math.min(spot.x + 12, chart.width - card.offsetWidth))}px`
  card.style.top = `${spot.y + 14}px`
  root.setAttribute("aria-description", spot.said.join(", "))
}

function nearest(chart, x, y) {
  let best = null, least = 40
  for (const spot of chart.spots || []) {
    const far = spot.bar ? (Math.abs(y - spot.y) <= spot.half && x >= spot.from && x <= spot.to ? 0 : 1e9) : Math.hypot(spot.x - x, spot.y - y)
    if (far < least) [best, least] = [spot, far]
  }
  return best
}

// Arrows: along a curve to the left and right, to the next curve or bar up and down.
function step(chart, key) {
  const all = chart.spots || []
  if (!all.length) return
  const at = chart.at || all[0]
  if (!chart.at) return show(chart, at)
  const rows = [...new Set(all.map((spot) => spot.row))]
  const along = all.filter((spot) => spot.row === at.row)
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const next = along[along.indexOf(at) + (key === "ArrowRight" ? 1 : -1)]
    return show(chart, next || at)
  }
  const row = rows[(rows.indexOf(at.row) + (key === "ArrowDown" ? 1 : rows.length - 1)) % rows.length]
  const there = all.filter((spot) => spot.row === row)
  show(chart, there.reduce((best, spot) => (Math.abs(spot.x - at.x) < Math.abs(best.x - at.x) ? spot : best)))
}

function open(root) {
  const chart = { root, card: makeCard(root) }
  root.addEventListener("pointermove", (event) => {
    const box = root.getBoundingClientRect()
    const spot = nearest(chart, event.clientX - box.left, event.clientY - box.top)
    if (spot !== chart.at) show(chart, spot)
  })
  root.addEventListener("pointerleave", () => show(chart, null))
  root.addEventListener("blur", () => show(chart, null))
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") show(chart, null)
    if (!event.key.startsWith("Arrow")) return
    event.preventDefault()
    step(chart, event.key)
  })
  new ResizeObserver(() => { if (root.clientWidth !== chart.width) draw(chart) }).observe(root)
  return chart
}

export default function (component) {
  const root = component.parentElement.querySelector(".light")
  const chart = charts.get(root) || open(root)
  charts.set(root, chart)
  root.setAttribute("aria-label", component.data.label)
  const same = JSON.stringify(component.data)
  if (chart.same === same && chart.width === root.clientWidth) return
  chart.same = same
  chart.at = null
  chart.data = { ...component.data, key: "plot" }
  root.style.height = `${component.data.height}px`
  const legend = component.parentElement.querySelector(".legend")
  legend.replaceChildren(...component.data.legend.map(([name, colour]) => {
    const entry = cell(name, "span")
    entry.style.setProperty("--look", colour)
    return entry
  }))
  component.parentElement.querySelector(".below").textContent = component.data.below
  draw(chart)
}
