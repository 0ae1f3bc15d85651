// What each rule removes, as the light chart draws it, and at once for a dial whose counts at each of its places have come
// beforehand (dial_sweeps.js). The dials are Streamlit's sliders, which are watched and not touched. Python hears of a move as
// ever; what it answers with is the same picture.
import { clamp, stateOf } from "./dom.js"
import { choiceOf, followChoice } from "./event_bus.js"
import lightChart from "./light_chart.js"

const ROW_PX = 27, MOST_ROWS = 14, EXTRA_PX = 64
const SWEEPS = "dial-sweeps"
const withCommas = (count) => count.toLocaleString("en")
const percent = (part, whole) => (whole ? (100 * part / whole).toFixed(1) : "0.0")

// The counts with a sweep's dial at its place `at`; as Python has them without one.
export function countsAt({ rows, kept, tokens }, sweep, at) {
  if (!sweep) return { rows, kept, tokens }
  const swept = rows.map(([name, removed, only], row) => {
    const others = sweep.only[row] ? sweep.only[row][at] : only
    return [name, row === sweep.row ? sweep.removed[at] : removed, others]
  })
  return { rows: swept, kept: sweep.kept[at], tokens: sweep.tokens[at] }
}

// What stands above, in bold and plain.
export function leadOf({ total, allTokens, exact }, { kept, tokens }) {
  const left = `${exact ? "" : "about "}${withCommas(tokens)} of ${withCommas(allTokens)} tokens (${percent(tokens, allTokens)}%)`
  return [`${withCommas(kept)} of ${withCommas(total)} documents are kept`, ` (${percent(kept, total)}%), ${left}.`]
}

// The payload of a light chart: one bar for what is kept, then one a rule, the rules that remove most first.
export function removedChart(data, sweep = null, at = null) {
  const { total, colours: [own, other], room } = data
  const counts = countsAt(data, sweep, at), { rows, kept } = counts
  const shown = rows.filter((row) => row[1]).sort((one, two) => two[1] - one[1]).slice(0, MOST_ROWS)
  const names = ["Kept", ...shown.map(([name]) => name)], count = names.length
  const x = (documents) => documents / (Math.max(total, 1) * 1.3)
  const y = (row) => (count - 0.45 - row) / (count + 0.1)
  const bar = (row, start, end, colour, text, value) => ({
    x: [x(start), x(end)], y: [y(row + 0.36), y(row - 0.36)], colour, text, inside: false, ink: "", edge: false, said: value,
  })
  const bars = [bar(0, 0, kept, own, `${withCommas(kept)} · ${percent(kept, total)}%`, ["Kept", "documents", withCommas(kept)])]
  shown.forEach(([name, removed, only], place) => {
    const text = withCommas(removed) + (only ? ` · ${withCommas(only)} alone` : "")
    bars.push(bar(place + 1, 0, only, own, "", [name, "this rule alone", withCommas(only)]))
    bars.push(bar(place + 1, only, removed, other, text, [name, "removed", withCommas(removed)]))
  })
  return {
    label: data.label, lead: leadOf(data, counts), below: "", height: EXTRA_PX + ROW_PX * count, margin: [room, 8, 16, 40], x: data.x,
    y: { title: "", grid: false, ticks: names.map((name, row) => [y(row), name]) },
    bars, lines: [], marks: [], rules: [], notes: [],
    legend: [["removed by this rule alone, or kept", own], ["removed by others too", other]],
  }
}

// A value as a place of a sweep.
export const placeOf = (sweep, value) => clamp(Math.round((value - sweep.low) / sweep.step), 0, sweep.kept.length - 1)

// The dials that stand elsewhere than Python has heard, each with its sweep and its place there. `valueOf` gives what a dial
// shows, null for one that is not in view. A sweep that came before another dial's move is of no use.
export function movedDials(dials, sweeps, valueOf) {
  const moved = []
  for (const [key, { value, others }] of Object.entries(dials)) {
    const sweep = (sweeps || {})[key], shown = valueOf(key)
    if (shown === null || !sweep || sweep.others !== others) continue
    const at = placeOf(sweep, shown)
    if (at !== placeOf(sweep, value)) moved.push({ sweep, at })
  }
  return moved
}

const sliderOf = (key) => document.querySelector(`.st-key-${CSS.escape(key)} input[type="range"]`)

function shownValue(key) {
  const slider = sliderOf(key)
  return slider && Number(slider.value)
}

function drawRemoved(state) {
  const [moved, another] = movedDials(state.data.dials, choiceOf(SWEEPS), shownValue)
  if (another && state.drawn) return // two moves that Python has not heard of: its answer is on the way
  lightChart({ data: removedChart(state.data, moved?.sweep, moved?.at), parentElement: state.inner })
  state.drawn = true
}

function setUp(parentElement) {
  const inner = parentElement.querySelector(".removed"), state = { inner, data: null, drawn: false }
  const redraw = () => { if (state.data) drawRemoved(state) }
  followChoice(inner, SWEEPS, redraw)
  state.observer = new MutationObserver((changes) => {
    if (changes.some(({ target }) => target.closest("[class*=st-key-dial_]"))) redraw()
  })
  state.observer.observe(document.body, { subtree: true, attributeFilter: ["value", "aria-valuetext"] })
  return state
}

export default function removedBars({ data, parentElement }) {
  const state = stateOf(parentElement, setUp)
  state.data = data
  drawRemoved(state)
  return () => state.observer.disconnect()
}
