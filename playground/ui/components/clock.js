// A clock that goes by itself: seconds left until an end, or seconds gone of those that were planned.
import { stateOf } from "./dom.js"

// "1:05"; of a whole hour and more "1:00:05".
export function clockText(seconds) {
  const whole = Math.max(0, Math.floor(seconds))
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const shown = parts[0] ? parts : parts.slice(1)
  return shown.map((part, place) => (place ? String(part).padStart(2, "0") : String(part))).join(":")
}

// What stands there `passed` seconds after the server said `data`.
export function clockSays(data, passed) {
  if (data.left !== null) {
    const left = data.left - passed
    return left > 0 ? { text: `${clockText(Math.ceil(left))} left`, late: left <= 10 } : { text: "Time is up", late: true }
  }
  const gone = data.gone + passed
  return { text: `${clockText(gone)} of ${clockText(data.planned)}`, late: gone > data.planned }
}

export default function clock({ data, parentElement }) {
  const state = stateOf(parentElement, () => ({ drawnAt: null, begun: 0, ticking: 0 }))
  const face = parentElement.querySelector(".clock")
  if (state.drawnAt !== data.drawnAt) { // a drawing that repeats an older one does not put the clock back
    state.drawnAt = data.drawnAt
    state.begun = performance.now()
  }
  const show = () => {
    const said = clockSays(data, (performance.now() - state.begun) / 1000)
    if (face.textContent !== said.text) face.textContent = said.text
    face.classList.toggle("late", said.late)
  }
  clearInterval(state.ticking)
  state.ticking = setInterval(show, 250)
  show()
  return () => clearInterval(state.ticking)
}
