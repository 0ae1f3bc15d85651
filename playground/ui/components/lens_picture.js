// The lens's grid drawn on a canvas, as it is saved: a title, the scale, the tokens above their columns, the depths beside
// their rows, and every cell in the colour it has on the page.
import { make } from "./dom.js"
import { choiceOf } from "./event_bus.js"
import { drawScale, fitted, sharp } from "./picture.js"

export const LENS_COLOURS = "lens-colours" // the choice that the lens follows, here and on the page
const LENS_FONT = "12px ui-monospace, Menlo, Consolas, monospace"
const LENS_ROW = 20, LENS_PAD = 4, LENS_WIDEST = 140, LENS_TOP = 52
const LENS_MARK = "underlined: from here on the answer's own token"

function lensColumns(context, data) {
  const columns = data.tokens.length
  const wide = (text) => context.measureText(text).width
  context.font = `bold ${LENS_FONT}`
  return data.tokens.map((token, place) => {
    const texts = data.depths.map((_, depth) => data.texts[data.tops[depth * columns + place]])
    return Math.min(LENS_WIDEST, Math.max(48, wide(token), ...texts.map(wide))) + 2 * LENS_PAD
  })
}

function drawLensRow(context, data, depth, left, top, widths, shades, ink) {
  const columns = data.tokens.length
  widths.forEach((width, place) => {
    const at = depth * columns + place
    const [ground, own] = shades[at] < 0 ? ["", ink] : data.palette[shades[at]]
    if (ground) {
      context.fillStyle = ground
      context.fillRect(left, top, width - 1, LENS_ROW - 1)
    }
    const leads = depth >= data.leads[place]
    context.font = leads ? `bold ${LENS_FONT}` : LENS_FONT
    context.fillStyle = own
    const text = fitted(context, data.texts[data.tops[at]], width - 2 * LENS_PAD)
    context.fillText(text, left + LENS_PAD, top + LENS_ROW / 2)
    if (leads) context.fillRect(left + LENS_PAD, top + LENS_ROW - 4, context.measureText(text).width, 1)
    left += width
  })
}

export function lensPicture(root, data) {
  const style = getComputedStyle(root)
  const ink = style.color, chosen = choiceOf(LENS_COLOURS), legend = data.legends[chosen]
  const canvas = make("canvas")
  const measuring = canvas.getContext("2d")
  const widths = lensColumns(measuring, data)
  const side = Math.max(...data.depths.map((name) => measuring.measureText(name).width)) + 3 * LENS_PAD
  measuring.font = "bold 13px system-ui, sans-serif"
  const said = [`${data.title}, by ${legend.label}`, `${legend.low}${legend.high}${LENS_MARK}`].map((text) => measuring.measureText(text).width)
  const wide = Math.max(said[0], said[1] + 180, side + widths.reduce((sum, width) => sum + width, 0))
  const context = sharp(canvas, Math.ceil(wide + 2 * LENS_PAD), LENS_TOP + LENS_ROW * (data.depths.length + 1) + LENS_PAD)
  context.fillStyle = style.getPropertyValue("--st-background-color").trim() || "#ffffff"
  context.fillRect(0, 0, wide + 2 * LENS_PAD, canvas.height)
  context.textBaseline = "middle"
  context.fillStyle = ink
  context.font = "bold 13px system-ui, sans-serif"
  context.fillText(`${data.title}, by ${legend.label}`, LENS_PAD, 13)
  const end = drawScale(context, [legend.low, legend.high], legend.stops, ink, LENS_PAD, 35, 1)
  context.fillText(LENS_MARK, end + 24, 35)
  context.font = `bold ${LENS_FONT}`
  let left = side
  data.tokens.forEach((token, place) => {
    context.fillText(fitted(context, token, widths[place] - 2 * LENS_PAD), left + LENS_PAD, LENS_TOP + LENS_ROW / 2)
    left += widths[place]
  })
  data.depths.forEach((name, depth) => {
    const top = LENS_TOP + LENS_ROW * (data.depths.length - depth)
    context.font = LENS_FONT
    context.fillStyle = ink
    context.textAlign = "right"
    context.fillText(name, side - LENS_PAD, top + LENS_ROW / 2)
    context.textAlign = "left"
    drawLensRow(context, data, depth, side, top, widths, data.shades[chosen], ink)
  })
  return canvas
}
