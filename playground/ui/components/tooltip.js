// A card of details beside whatever has the pointer or the focus.
import { clamp, make, onHover } from "./dom.js"

export function makeCard(root) {
  const card = make("div", "card", root)
  card.hidden = true
  card.setAttribute("role", "tooltip")
  return card
}

// `lines` as paragraphs, then `table`, whose first row is its head.
export function fillCard(card, { lines = [], table = [] }) {
  card.replaceChildren()
  for (const line of lines) make("p", "", card, line)
  if (!table.length) return
  const element = make("table", "", card)
  table.forEach((row, index) => {
    const line = make("tr", "", element)
    for (const value of row) make(index === 0 ? "th" : "td", "", line, value)
  })
}

// Below `button`, within `root`.
export function placeCard(card, button, root) {
  card.hidden = false
  const box = root.getBoundingClientRect()
  const at = button.getBoundingClientRect()
  card.style.left = `${clamp(at.left - box.left, 0, Math.max(0, box.width - card.offsetWidth))}px`
  card.style.top = `${at.bottom - box.top + 4}px`
}

// `fill` puts into the card what is to be read beside `button`.
export function attachCard(button, card, root, fill, beside = button) {
  const show = () => {
    fill()
    placeCard(card, beside, root)
  }
  onHover(button, show, () => { card.hidden = true })
  return show
}
