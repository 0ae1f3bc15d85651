// One tab stop for a run of buttons: arrow keys, Home and End walk them, Escape hides their card.
import { clamp, consume } from "./dom.js"

export const HORIZONTAL = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }
export const VERTICAL = { ArrowDown: 1, ArrowUp: -1 }

// Where a key leads from place `at` of `count`; null for a key that leads nowhere. `steps`: how far each arrow goes.
export function targetOf(key, at, count, steps) {
  if (key === "Home") return 0
  if (key === "End") return count - 1
  return key in steps ? clamp(at + steps[key], 0, count - 1) : null
}

// The same in a grid numbered row by row from the bottom, `columns` wide: up is a larger number. No key leaves its row or
// its column over the edge. Page Up and Page Down lead to the top and the bottom of the column.
export function gridTargetOf(key, at, columns, count) {
  const place = at % columns
  const within = (to, inside) => (inside ? to : at)
  const targets = {
    ArrowRight: () => within(at + 1, place + 1 < columns),
    ArrowLeft: () => within(at - 1, place > 0),
    ArrowUp: () => within(at + columns, at + columns < count),
    ArrowDown: () => within(at - columns, at >= columns),
    Home: () => at - place,
    End: () => at - place + columns - 1,
    PageUp: () => count - columns + place,
    PageDown: () => place,
  }
  return key in targets ? targets[key]() : null
}

// Moves the one tab stop of a list of buttons. `buttons` gives those that are there now.
export function makeRover(buttons) {
  const rover = { at: 0 }
  rover.to = (index, focus) => {
    const all = buttons()
    if (all[rover.at]) all[rover.at].tabIndex = -1
    rover.at = clamp(index, 0, Math.max(0, all.length - 1))
    if (!all[rover.at]) return
    all[rover.at].tabIndex = 0
    if (focus) all[rover.at].focus()
  }
  return rover
}

// The keys of `container` move a rover over `buttons`; `find` says where a key leads (targetOf's or gridTargetOf's shape).
export function rove(container, buttons, find, card) {
  const rover = makeRover(buttons)
  container.onkeydown = (event) => {
    if (event.key === "Escape" && card) card.hidden = true
    const target = find(event.key, rover.at, buttons().length)
    if (target === null) return
    consume(event)
    rover.to(target, true)
  }
  return rover
}

export const roveList = (container, buttons, steps, card) =>
  rove(container, buttons, (key, at, count) => targetOf(key, at, count, steps), card)
