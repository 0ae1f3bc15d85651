// What both attention pictures compute without a page: bytes to weights, weights to colours, colours to pixels, where cells
// are. A weight travels as the square root of its share: one byte in the overview, two in a heatmap.
import { clamp } from "./dom.js"

export const BLANK_WORD = 65535, TOP_WORD = 65534, BLANK_BYTE = 255, TOP_BYTE = 254
export const SCALE_CHOICE = "attention-colours" // the choice that pictures without a scale of their own follow

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] } // [down, right]

export const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))

export function wordsOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Uint16Array.from({ length: bytes.byteLength / 2 }, (_, at) => view.getUint16(2 * at, true))
}

// One byte a weight, as the two bytes that a heatmap reads.
export const widened = (codes) =>
  Uint16Array.from(codes, (code) => (code === BLANK_BYTE ? BLANK_WORD : Math.round((code / TOP_BYTE) * TOP_WORD)))

// Cells in the lower triangle of a square; keys after the query are not sent.
export const triangle = (side) => (side * (side + 1)) / 2

export const cellAt = (query, key) => triangle(query) + key

// The weight of (query, key), 0 to 1; null where the query cannot see the key.
export function weightAt(words, query, key) {
  if (key > query) return null
  const code = words[cellAt(query, key)]
  return code === BLANK_WORD ? null : (code / TOP_WORD) ** 2
}

// 256 colours between the anchors, as [red, green, blue].
export function ramp(colours) {
  const anchors = colours.map((text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16)))
  return Array.from({ length: 256 }, (_, step) => {
    const place = (step / 255) * (anchors.length - 1)
    const low = Math.min(Math.floor(place), anchors.length - 2)
    return anchors[low].map((value, part) => Math.round(value + (anchors[low + 1][part] - value) * (place - low)))
  })
}

// Where on the ramp a weight stands, 0 to 255. `top`: the largest weight shown; `floor`: the least on the log scale.
export function shadeOf(weight, scale, top, floor) {
  let share = weight
  if (scale === "stretched") share = top > 0 ? weight / top : 0
  else if (scale === "log") share = weight <= floor ? 0 : 1 - Math.log(weight) / Math.log(floor)
  return clamp(Math.round(255 * share), 0, 255)
}

// Colours for every code at once, three bytes each, so that painting is a look-up.
const palettes = new Map() // the last one of each size: another head mostly needs the same

export function palette(topCode, { colours, floor }, scale, top) {
  const key = [scale, scale === "stretched" ? top : 1, floor, colours].join(" ")
  const known = palettes.get(topCode)
  if (known?.key === key) return known.table
  const shades = ramp(colours)
  const table = new Uint8Array(3 * (topCode + 1))
  for (let code = 0; code <= topCode; code++) table.set(shades[shadeOf((code / topCode) ** 2, scale, top, floor)], 3 * code)
  palettes.set(topCode, { key, table })
  return table
}

// Paint a triangle of `side` rows whose codes begin at `from` into an image (width, RGBA data); blank stays transparent.
export function paintTriangle(image, codes, from, side, table, blank) {
  const pixels = image.data
  let code = from
  for (let row = 0; row < side; row++) {
    let pixel = 4 * row * image.width
    for (let column = 0; column <= row; column++, pixel += 4) {
      const value = codes[code++]
      if (value === blank) continue
      pixels[pixel] = table[3 * value]
      pixels[pixel + 1] = table[3 * value + 1]
      pixels[pixel + 2] = table[3 * value + 2]
      pixels[pixel + 3] = 255
    }
  }
}

// As all pages write probabilities: two decimals, scientific below 0.01%. Coarse weights (one byte) have one decimal.
export function percentText(weight, coarse) {
  if (weight === null) return "hidden"
  if (coarse) return weight < 0.001 ? "under 0.1%" : `${(100 * weight).toFixed(1)}%`
  if (weight === 0) return "0%"
  if (weight >= 1e-4) return `${(100 * weight).toFixed(2)}%`
  const [mantissa, exponent] = weight.toExponential(1).split("e") // as charts/numbers.py writes it
  return `${mantissa}·10${[...exponent].map((sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]).join("")}`
}

// Black or white, whichever has the higher contrast on a colour (WCAG 2.1, relative luminance).
export function inkOn(colour) {
  const [r, g, b] = colour.map((value) => {
    const part = value / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#FFFFFF"
}

// The scale's two ends in words. `top`: the largest weight shown.
export function scaleEnds(scale, top, floor) {
  if (scale === "stretched") return ["0%", `${percentText(top)}, the largest shown`]
  return scale === "log" ? [`${percentText(floor)} or less, log scale`, "100%"] : ["0%", "100%"]
}

// Where a key leads from a cell among `side` rows of a lower triangle; null for a key that leads nowhere.
export function cellTargetOf(key, [query, column], side) {
  if (key === "Home") return [query, 0]
  if (key === "End") return [query, query]
  if (!(key in ARROWS)) return null
  const row = clamp(query + ARROWS[key][0], 0, side - 1)
  return [row, clamp(column + ARROWS[key][1], 0, row)]
}

// The head that an arrow key leads to from `index`; `places` are [column, row]. -1: there is none.
export function headTargetOf(key, index, places) {
  const [down, right] = ARROWS[key] ?? [0, 0]
  const [column, row] = places[index]
  return down || right ? places.findIndex(([at, head]) => at === column + right && head === row + down) : -1
}

// Pixels a side of a head's tile where `columns` of them share `width`.
export const tileSize = (width, columns) => clamp(Math.floor((width - 34) / columns), 16, 46) // 34: the heads' numbers, the scroll area's edge

// A heatmap's measures in pixels: room for names at the left, a cell's size, space above, and how many names fit (each
// `every`-th). `longest`: the widest name.
export function heatLayout(width, side, longest) {
  const left = Math.min(longest + 10, 110, width * 0.28)
  const size = clamp((width - left - 14) / side, 0.5, 34)
  return { left, names: left, size, head: Math.max(2, 8 - size / 2), every: Math.max(1, Math.ceil(12 / size)) } // a first name is taller than a small cell
}

// The [query, key] at a point of a heatmap; [-1, -1] outside the lower triangle.
export function cellUnder(x, y, { left, head, size }, side) {
  const key = Math.floor((x - left) / size), query = Math.floor((y - head) / size)
  return query < 0 || query >= side || key < 0 || key > query ? [-1, -1] : [query, key]
}

// The `most` largest of [index, weight] pairs, hidden ones left out.
export const strongest = (pairs, most = 3) =>
  pairs.filter(([, weight]) => weight !== null).sort((one, other) => other[1] - one[1]).slice(0, most)
