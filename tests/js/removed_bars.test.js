// The kept share and a bar a rule, as Python told them and at other places of the dial that was moved last.
import assert from "node:assert/strict"
import { test } from "node:test"

import { countsAt, placeOf, removedChart } from "../../playground/ui/components/removed_bars.js"

const SWEEP = { dial: "dial_words", row: 1, low: 0, step: 0.5, kept: [31, 30, 22], removed: [0, 1, 9], only: { 1: [0, 1, 9], 2: [3, 2, 2] },
  lead: [["31 of 40", "a"], ["30 of 40", "b"], ["22 of 40", "c"]] }
const DATA = { total: 40, kept: 30, lead: ["30 of 40", "b"], rows: [["Sentences", 5, 2], ["Words", 1, 1], ["Stops", 7, 2], ["None", 0, 0]],
  colours: ["violet", "grey"], room: 90, x: { title: "documents", ticks: [], grid: true }, label: "said", sweep: SWEEP }
const namesOf = (chart) => chart.y.ticks.map(([, name]) => name)

test("the rules that remove most stand first, those that remove none not at all", () => {
  const chart = removedChart(DATA)
  assert.deepEqual(namesOf(chart), ["Kept", "Stops", "Sentences", "Words"])
  assert.deepEqual(chart.lead, ["30 of 40", "b"])
  assert.equal(chart.bars[0].text, "30 · 75.0%")
  const [alone, others] = chart.bars.slice(1, 3)
  assert.deepEqual([alone.said, others.text], [["Stops", "this rule alone", "2"], "7 · 2 alone"])
  assert.ok(alone.x[1] === others.x[0] && others.x[1] === 7 / 52, "what it alone removes, then the rest of what it removes")
  for (const bar of chart.bars) assert.ok(bar.y[0] < bar.y[1] && bar.y[0] > 0 && bar.y[1] < 1)
})

test("at another place of the dial the counts are that place's", () => {
  const chart = removedChart(DATA, 2)
  assert.deepEqual(namesOf(chart), ["Kept", "Words", "Stops", "Sentences"])
  assert.deepEqual([chart.bars[0].text, chart.lead[0], chart.bars[2].text], ["22 · 55.0%", "22 of 40", "9 · 9 alone"])
  assert.deepEqual(countsAt(DATA, 0).rows, [["Sentences", 5, 2], ["Words", 0, 0], ["Stops", 7, 3], ["None", 0, 0]])
  assert.deepEqual(removedChart(DATA, 1), removedChart(DATA), "where Python has drawn it, its own picture")
})

test("without a sweep, or a slider in view, Python's counts are drawn", () => {
  assert.deepEqual(removedChart({ ...DATA, sweep: null }, 2), removedChart(DATA))
  assert.equal(placeOf(SWEEP, null), null)
})

test("a slider's value is a place, whatever its last digits", () => {
  assert.deepEqual([0, 0.4999, 1.0000001, 7, -3].map((value) => placeOf(SWEEP, value)), [0, 1, 2, 2, 0])
})
