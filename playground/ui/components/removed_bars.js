// What each rule removes, as the light chart draws it, and at once for the one dial whose sweep is known: the counts at each of
// its places. The dial is Streamlit's slider, which is watched and not touched. Python hears of the move as ever; what it
// answers with is the same picture.
import { clamp } from "./dom.js"
import lightChart from "./light_chart.js"

const ROW_PX = 22, MOST_ROWS = 14, EXTRA_PX = 64
const withCommas = (count) => count.toLocaleString("en")

// The counts with a sweep's dial at its place `at`; as Python has them where there is none.
export function countsAt({ rows, kept, lead, sweep }, at) {
  if (!sweep || at === null) return { rows, kept, lead }
  const swept = rows.map(([name, removed, only], row) => {
    const others = sweep.only[row] ? sweep.only[row][at] : only
    return [name, row === sweep.row ? sweep.removed[at] : removed, others]
  })
  return { rows: swept, kept: sweep.kept[at], lead: sweep.lead[at] }
}

// The payload of a light chart: one bar for what is kept, then one a rule, the rules that remove most first.
export function removedChart(data, at = null) {
  const { total, colours: [own, other], room } = data
  const { rows, kept, lead } = countsAt(data, at)
  const shown = rows.filter((row) => row[1]).sort((one, two) => two[1] - one[1]).slice(0, MOST_ROWS)
  const names = ["Kept", ...shown.map(([name]) => name)], count = names.length
  const x = (documents) => documents / (Math.max(total, 1) * 1.3)
  const y = (row) => (count - 0.45 - row) / (count + 0.1)
  const bar = (row, start, end, colour, text, value) => ({
    x: [x(start), x(end)], y: [y(row + 0.36), y(row - 0.36)], colour, text, inside: false, ink: "", edge: false, said: value,
  })
  const share = total ? (100 * kept / total).toFixed(1) : "0.0"
  const bars = [bar(0, 0, kept, own, `${withCommas(kept)} · ${share}%`, ["Kept", "documents", withCommas(kept)])]
  shown.forEach(([name, removed, only], place) => {
    const text = withCommas(removed) + (only ? ` · ${withCommas(only)} alone` : "")
    bars.push(bar(place + 1, 0, only, own, "", [name, "this rule alone", withCommas(only)]))
    bars.push(bar(place + 1, only, removed, other, text, [name, "removed", withCommas(removed)]))
  })
  return {
    label: data.label, lead, below: "", height: EXTRA_PX + ROW_PX * count, margin: [room, 8, 16, 40], x: data.x,
    y: { title: "", grid: false, ticks: names.map((name, row) => [y(row), name]) },
    bars, lines: [], marks: [], rules: [], notes: [],
    legend: [["removed by this rule alone, or kept", own], ["removed by others too", other]],
  }
}

// The place of the slider in its sweep; null where there is no slider in view.
export function placeOf(sweep, value) {
  return value === null ? null : clamp(Math.round((value - sweep.low) / sweep.step), 0, sweep.kept.length - 1)
}

const watched = new WeakMap() // by element: its data, the slider and what looks at it

function drawRemoved({ data, slider, inner }) {
  const at = slider?.isConnected ? placeOf(data.sweep, Number(slider.value)) : null
  lightChart({ data: removedChart(data, at), parentElement: inner })
}

export default function removedBars({ data, parentElement }) {
  const state = watched.get(parentElement) ?? { inner: parentElement.querySelector(".removed"), slider: null }
  watched.set(parentElement, state)
  state.data = data
  const slider = data.sweep ? document.querySelector(`.st-key-${CSS.escape(data.sweep.dial)} input[type="range"]`) : null
  if (slider !== state.slider) {
    state.observer?.disconnect()
    state.slider = slider
    state.observer = new MutationObserver(() => drawRemoved(state))
    if (slider) state.observer.observe(slider, { attributeFilter: ["value", "aria-valuetext"] })
  }
  drawRemoved(state)
  return () => state.observer?.disconnect()
}
