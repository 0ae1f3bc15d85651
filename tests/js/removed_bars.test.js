// The kept share and a bar a rule, as Python told them and at other places of a dial whose sweep is there.
import assert from "node:assert/strict"
import { test } from "node:test"

import { countsAt, leadOf, movedDials, placeOf, removedChart } from "../../playground/ui/components/removed_bars.js"

const SWEEP = { row: 1, low: 0, step: 0.5, others: 7, kept: [31, 30, 22], removed: [0, 1, 9], only: { 1: [0, 1, 9], 2: [3, 2, 2] },
  tokens: [3100, 3000, 2200] }
const DIALS = { dial_words: { value: 0.5, others: 7 }, dial_stops: { value: 2, others: 8 } }
const DATA = { total: 40, kept: 30, tokens: 3000, allTokens: 4000, exact: true, dials: DIALS,
  rows: [["Sentences", 5, 2], ["Words", 1, 1], ["Stops", 7, 2], ["None", 0, 0]],
  colours: ["violet", "grey"], room: 90, x: { title: "documents", ticks: [], grid: true }, label: "said" }
const namesOf = (chart) => chart.y.ticks.map(([, name]) => name)

test("the rules that remove most stand first, those that remove none not at all", () => {
  const chart = removedChart(DATA)
  assert.deepEqual(namesOf(chart), ["Kept", "Stops", "Sentences", "Words"])
  assert.deepEqual(chart.lead, ["30 of 40 documents are kept", " (75.0%), 3,000 of 4,000 tokens (75.0%)."])
  assert.equal(chart.bars[0].text, "30 · 75.0%")
  const [alone, others] = chart.bars.slice(1, 3)
  assert.deepEqual([alone.said, others.text], [["Stops", "this rule alone", "2"], "7 · 2 alone"])
  assert.ok(alone.x[1] === others.x[0] && others.x[1] === 7 / 52, "what it alone removes, then the rest of what it removes")
  for (const bar of chart.bars) assert.ok(bar.y[0] < bar.y[1] && bar.y[0] > 0 && bar.y[1] < 1)
})

test("what is estimated says so, and nothing at all is no share of nothing", () => {
  assert.equal(leadOf({ ...DATA, exact: false }, DATA)[1], " (75.0%), about 3,000 of 4,000 tokens (75.0%).")
  assert.equal(leadOf({ total: 0, allTokens: 0, exact: true }, { kept: 0, tokens: 0 })[1], " (0.0%), 0 of 0 tokens (0.0%).")
})

test("at another place of the dial the counts are that place's", () => {
  const chart = removedChart(DATA, SWEEP, 2)
  assert.deepEqual(namesOf(chart), ["Kept", "Words", "Stops", "Sentences"])
  assert.deepEqual([chart.bars[0].text, chart.bars[2].text], ["22 · 55.0%", "9 · 9 alone"])
  assert.deepEqual(chart.lead, ["22 of 40 documents are kept", " (55.0%), 2,200 of 4,000 tokens (55.0%)."])
  assert.deepEqual(countsAt(DATA, SWEEP, 0).rows, [["Sentences", 5, 2], ["Words", 0, 0], ["Stops", 7, 3], ["None", 0, 0]])
  assert.deepEqual(removedChart(DATA, SWEEP, 1), removedChart(DATA), "where Python has drawn it, its own picture")
})

test("a dial that stands elsewhere than Python has heard has moved, if its sweep still holds", () => {
  const moved = (shown, sweeps = { dial_words: SWEEP }) => movedDials(DIALS, sweeps, (key) => shown[key] ?? null)
  assert.deepEqual(moved({ dial_words: 1, dial_stops: 2 }), [{ sweep: SWEEP, at: 2 }])
  assert.deepEqual(moved({ dial_words: 0.5, dial_stops: 3 }), [], "of the other dial nothing is known")
  assert.deepEqual(moved({ dial_words: 1 }, { dial_words: { ...SWEEP, others: 6 } }), [], "another dial has been moved since")
  assert.deepEqual([moved({}), moved({ dial_words: 1 }, null)], [[], []])
  assert.equal(moved({ dial_words: 1, dial_stops: 0 }, { dial_words: SWEEP, dial_stops: { ...SWEEP, others: 8 } }).length, 2)
})

test("a slider's value is a place, whatever its last digits", () => {
  assert.deepEqual([0, 0.4999, 1.0000001, 7, -3].map((value) => placeOf(SWEEP, value)), [0, 1, 2, 2, 0])
})
