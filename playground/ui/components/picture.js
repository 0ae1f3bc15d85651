// Drawing on canvases, and saving what a picture shows as a PNG when the export popover asks for it.
import { make } from "./dom.js"
import { listenWhileShown } from "./event_bus.js"

export const SAVE = "playground-save"

// `draw` makes the canvas; it is asked while `root` is on the page.
export function saveWhenAsked(root, name, draw) {
  listenWhileShown(root, SAVE, (asked) => { if (asked === name) saveCanvas(draw(), `${name}.png`) })
}

function saveCanvas(canvas, file) {
  canvas.toBlob((blob) => {
    const link = make("a")
    link.href = URL.createObjectURL(blob)
    link.download = file
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 10000)
  })
}

export function canvasOf(image) {
  const canvas = make("canvas")
  canvas.width = image.width
  canvas.height = image.height
  canvas.getContext("2d").putImageData(image, 0, 0)
  return canvas
}

// A canvas's drawing context in CSS pixels, sharp on dense screens; no browser draws more than some `most` pixels a side.
export function sharp(canvas, width, height, most = 16000) {
  const density = Math.min(window.devicePixelRatio || 1, most / Math.max(width, height))
  const context = canvas.getContext("2d"), wide = Math.round(width * density), high = Math.round(height * density)
  if (context.reset && canvas.width === wide && canvas.height === high) context.reset() // wiping costs less than other pixels
  else Object.assign(canvas, { width: wide, height: high })
  canvas.style.width = `${width}px`
  canvas.style.height = `${height}px`
  context.setTransform(density, 0, 0, density, 0, 0)
  context.imageSmoothingEnabled = false
  return context
}

// `text`, cut off where it is wider than `width`; `context` measures it.
export function fitted(context, text, width) {
  if (context.measureText(text).width <= width) return text
  let shorter = text
  while (shorter.length > 1 && context.measureText(`${shorter}…`).width > width) shorter = shorter.slice(0, -1)
  return `${shorter}…`
}

export const cssRamp = (colours) => `linear-gradient(90deg, ${colours.join(", ")})`

// The scale's two ends with the colours between them, from (left, middle) on; returns where it ends.
export function drawScale(context, [low, high], colours, ink, left, middle, density) {
  context.font = `${12 * density}px system-ui, sans-serif`
  context.textBaseline = "middle"
  context.textAlign = "left"
  const gap = 8 * density, wide = 128 * density
  context.fillStyle = ink
  context.fillText(low, left, middle)
  const from = left + context.measureText(low).width + gap
  const shades = context.createLinearGradient(from, 0, from + wide, 0)
  colours.forEach((colour, at) => shades.addColorStop(at / (colours.length - 1), colour))
  context.fillStyle = shades
  context.fillRect(from, middle - 5 * density, wide, 10 * density)
  context.fillStyle = ink
  context.fillText(high, from + wide + gap, middle)
  return from + wide + gap + context.measureText(high).width
}
