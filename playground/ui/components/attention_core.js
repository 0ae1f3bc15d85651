// What both attention pictures share: bytes to weights, weights to colours, drawing crisp cells.
const BLANK_WORD = 65535, TOP_WORD = 65534, BLANK_BYTE = 255, TOP_BYTE = 254

function bytesOf(text) {
  const raw = atob(text)
  const bytes = new Uint8Array(raw.length)
  for (let at = 0; at < raw.length; at++) bytes[at] = raw.charCodeAt(at)
  return bytes
}

function wordsOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const words = new Uint16Array(bytes.byteLength / 2)
  for (let at = 0; at < words.length; at++) words[at] = view.getUint16(2 * at, true)
  return words
}

// The place of (query, key) among the lower triangle's cells; keys after the query are not sent.
const cellAt = (query, key) => (query * (query + 1)) / 2 + key

// 256 colours between the anchors, as [red, green, blue].
function ramp(colours) {
  const anchors = colours.map((text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16)))
  return Array.from({ length: 256 }, (_, step) => {
    const place = (step / 255) * (anchors.length - 1)
    const low = Math.min(Math.floor(place), anchors.length - 2)
    return anchors[low].map((value, part) => Math.round(value + (anchors[low + 1][part] - value) * (place - low)))
  })
}

// Where on the ramp a weight stands, 0 to 255.
function shadeOf(weight, scale, top, floor) {
  let share = weight
  if (scale === "stretched") share = top > 0 ? weight / top : 0
  else if (scale === "log") share = weight <= floor ? 0 : 1 - Math.log(weight) / Math.log(floor)
  return Math.max(0, Math.min(255, Math.round(255 * share)))
}

// The scale a picture is coloured by: its own, or the one chosen on the page; undefined until that has been told.
const scaleOf = (data) => data.scale ?? chosenOf(COLOURS)

// Colours for every code at once, so that painting is a look-up.
function palette(topCode, data, top) {
  const colours = ramp(data.colours), scale = scaleOf(data)
  const table = new Uint8Array(3 * (topCode + 1))
  for (let code = 0; code <= topCode; code++) {
    const [red, green, blue] = colours[shadeOf((code / topCode) ** 2, scale, top, data.floor)]
    table[3 * code] = red
    table[3 * code + 1] = green
    table[3 * code + 2] = blue
  }
  return table
}

// Paint a square of `side` cells whose codes begin at `from`, into an image at (left, top); blank stays transparent.
function paintTriangle(image, codes, from, side, table, blank, left, top) {
  let code = from
  for (let row = 0; row < side; row++) {
    let pixel = 4 * ((top + row) * image.width + left)
    for (let column = 0; column <= row; column++, pixel += 4) {
      const value = codes[code++]
      if (value === blank) continue
      image.data[pixel] = table[3 * value]
      image.data[pixel + 1] = table[3 * value + 1]
      image.data[pixel + 2] = table[3 * value + 2]
      image.data[pixel + 3] = 255
    }
  }
}

function offscreen(image) {
  const canvas = document.createElement("canvas")
  canvas.width = image.width
  canvas.height = image.height
  canvas.getContext("2d").putImageData(image, 0, 0)
  return canvas
}

// As the house writes probabilities: two decimals, scientific below 0.01%. Coarse weights (one byte) have one decimal.
function percentText(weight, coarse) {
  if (coarse) return weight < 0.001 ? "under 0.1%" : `${(100 * weight).toFixed(1)}%`
  if (weight === 0) return "0%"
  return weight < 1e-4 ? `${(100 * weight).toExponential(1)}%` : `${(100 * weight).toFixed(2)}%`
}

function inkOn([red, green, blue]) {
  const [r, g, b] = [red, green, blue].map((value) => {
    const part = value / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#FFFFFF"
}

function made(tag, name, parent, text) {
  const element = document.createElement(tag)
  element.className = name
  if (text !== undefined) element.textContent = text
  if (parent) parent.appendChild(element)
  return element
}

const LOCKED = "playground-attention-locked"
const COLOURS = "attention-colours" // the choice that pictures without a scale of their own follow
