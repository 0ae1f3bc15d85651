// Where the parts of a light chart go, without a page: everything comes as shares of the plot area (0 to 1, the origin at
// the lower left) and leaves as pixels. See playground/charts/light.py.
import { clamp } from "./dom.js"

const LABEL_PLACES = ["top right", "bottom left", "middle right", "middle left", "top left", "bottom right"]
const REACH = 40 // pixels from the pointer to a point that it shows

// How wide a text is, near enough to decide where it goes; measuring would lay the page out once for each text.
export const textWidth = (text, size = 12) => 0.56 * size * Math.max(...text.split("\n").map((line) => line.length))

// The plot area inside `margin` (left, top, right, bottom), and the two functions from shares to pixels.
// Curves on a phone leave half of it to what moves them; bars keep their rows.
const NARROW_PX = 480, MOST_NARROW_PX = 380
export const pictureHeight = ({ height, lines }, width) => lines.length && width < NARROW_PX ? Math.min(height, MOST_NARROW_PX) : height

export function plotBox(width, height, [left, top, right, bottom]) {
  const box = { width, height, left, right: Math.max(width - right, left + 40), top, bottom: height - bottom }
  const x = (share) => box.left + share * (box.right - box.left)
  const y = (share) => box.bottom - share * (box.bottom - box.top)
  return { ...box, x, y }
}

// An SVG path through (xs, ys); a missing number (null) ends one stroke and the next point begins another.
export function pathOf(xs, ys, { x, y }) {
  let open = false
  return xs.map((at, index) => {
    const there = at !== null && ys[index] !== null
    const step = there ? `${open ? "L" : "M"}${x(at).toFixed(1)} ${y(ys[index]).toFixed(1)}` : ""
    open = there
    return step
  }).join("")
}

// Ticks [share, text] with what is written at each: nothing where it would touch its left neighbour.
export function sparseTicks(ticks, x) {
  let last = -1e9
  return [...ticks].sort((one, other) => one[0] - other[0]).map(([at, text]) => {
    const half = textWidth(text) / 2
    const free = x(at) - half >= last + 6
    if (free) last = x(at) + half
    return [at, free ? text : ""]
  })
}

export const shortened = (text, room) =>
  (textWidth(text) > room ? `${text.slice(0, Math.max(3, Math.floor(room / 6.7) - 1))}…` : text)

// Baseline of the first of `lines` lines that stand below, around or above `y` (`up`: top, middle, bottom).
export function firstBaseline(y, lines, size, up) {
  if (up === "top") return y + size
  return up === "middle" ? y + size * (0.36 - 0.58 * (lines - 1)) : y - 5 - size * 1.15 * (lines - 1)
}

// Where a bar's text goes: inside, to its right, or before its end where the right has no room; null: nowhere.
export function barText(bar, box) {
  const [from, to] = [box.x(Math.min(bar.x[0], 1)), box.x(clamp(bar.x[1], 0, 1))]
  if (bar.inside) return textWidth(bar.text, 11) < to - from - 4 ? { at: (from + to) / 2, anchor: "middle" } : null
  const size = textWidth(bar.text)
  // Where it fits on neither side it rather runs out of the picture than over the row's name.
  return to + 6 + size < box.right + 12 || size > to - 6 - box.left ? { at: to + 6, anchor: "start" } : { at: to - 6, anchor: "end" }
}

export function labelBox(mark, at, high, place) {
  const half = mark.size / 2, size = textWidth(mark.text, 11), [up, across] = place.split(" ")
  const shift = up === "middle" ? half + 4 : 2
  const left = across === "right" ? at + shift : at - shift - size
  const top = { top: high - half - 16, middle: high - 6, bottom: high + half }[up]
  return { left, right: left + size, top, bottom: top + 12, up, across, shift }
}

export const overlap = (one, other) =>
  one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom

// The marks in view, each with a label's box: at the place asked for, or the next one where no other label or mark stands.
export function placeMarks(marks, box) {
  const within = (share) => share > -0.001 && share < 1.001
  const shown = marks.filter((mark) => within(mark.x) && within(mark.y)).map((mark) => {
    const [at, high, half] = [box.x(mark.x), box.y(mark.y), mark.size / 2]
    return { mark, at, high, half, left: at - half, right: at + half, top: high - half, bottom: high + half }
  })
  const taken = [...shown]
  return shown.map((one) => {
    if (!one.mark.text) return { ...one, label: null }
    const places = [one.mark.at, ...LABEL_PLACES].map((place) => labelBox(one.mark, one.at, one.high, place))
    const inside = places.filter((label) => label.left > 0 && label.right < box.width)
    const label = inside.find((free) => !taken.some((other) => other !== one && overlap(free, other))) ?? inside[0] ?? null
    if (label) taken.push(label)
    return { ...one, label }
  })
}

// Which side of its place a note is written on: `across` as asked for, or the other side where it would be cut off.
export function noteSide(note, box) {
  const size = textWidth(note.text, note.size), at = box.x(note.x)
  return note.across === "left" && note.x < 1 && at + size > box.right && at > size ? "right" : note.across
}

const axisValues = (data, [first, second]) => [`${data.x.title}: ${first}`, `${data.y.title}: ${second}`]

// Every point that can be asked for its values: where it is, which row of points it belongs to, what is said.
export function spotsOf(data, { x, y }) {
  const within = (share) => share !== null && share >= 0 && share <= 1
  const curves = data.lines.flatMap((line, row) => line.x.map((at, index) => [at, line.y[index], index])
    .filter(([at, high]) => within(at) && within(high))
    .map(([at, high, index]) => ({ x: x(at), y: y(high), row, said: [line.name, ...axisValues(data, line.values[index])] })))
  const marks = data.marks.map((mark) => ({
    x: x(mark.x), y: y(mark.y), row: data.lines.length, said: [mark.text, ...axisValues(data, mark.values)],
  }))
  const bars = data.bars.map((bar, row) => {
    const [from, to, low, high] = [x(bar.x[0]), x(Math.min(bar.x[1], 1)), y(bar.y[0]), y(bar.y[1])]
    const value = bar.said[1] === bar.said[0] ? bar.text : `${bar.said[1]} ${bar.said[2]} ${data.x.title}`
    return { x: (from + to) / 2, y: (low + high) / 2, bar, half: Math.abs(low - high) / 2, from, to, row, said: [bar.said[0], value] }
  })
  return [...curves, ...marks, ...bars]
}

// The spot that the pointer is on: the bar under it, or the nearest point in reach.
export function nearest(spots, x, y) {
  const distance = (spot) => {
    if (!spot.bar) return Math.hypot(spot.x - x, spot.y - y)
    return Math.abs(y - spot.y) <= spot.half && x >= spot.from && x <= spot.to ? 0 : Infinity
  }
  let best = null, least = REACH
  for (const spot of spots) if (distance(spot) < least) [best, least] = [spot, distance(spot)]
  return best
}

// Where an arrow key leads: along a curve to the left and right, to the next curve or bar up and down.
export function spotTargetOf(key, at, spots) {
  if (!spots.includes(at)) return spots[0] ?? null
  const rowOf = (row) => spots.filter((spot) => spot.row === row)
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const along = rowOf(at.row)
    return along[along.indexOf(at) + (key === "ArrowRight" ? 1 : -1)] ?? at
  }
  const rows = [...new Set(spots.map((spot) => spot.row))]
  const row = rows[(rows.indexOf(at.row) + (key === "ArrowDown" ? 1 : rows.length - 1)) % rows.length]
  return rowOf(row).reduce((best, spot) => (Math.abs(spot.x - at.x) < Math.abs(best.x - at.x) ? spot : best))
}
