// Tells Python how large type is here, as a multiple of the usual 16 pixels: what cannot grow by itself is drawn anew with it.
// It is on every page, so what every page lacks in a browser is offered here too.
import { offerClipboard } from "./clipboard.js"
import { stateOf } from "./dom.js"

export const sizeOf = (remInPixels) => Math.round((100 * remInPixels) / 16) / 100

export default function typeSize({ data, parentElement, setStateValue }) {
  offerClipboard(navigator, document)
  const state = stateOf(parentElement, () => {
    const made = {}
    const ruler = parentElement.querySelector(".ruler")
    new ResizeObserver(() => made.measure()).observe(ruler)
    return made
  })
  state.measure = () => {
    const size = sizeOf(parentElement.querySelector(".ruler").offsetWidth)
    if (size > 0 && size !== data.size) setStateValue("size", size)
  }
  state.measure()
}
