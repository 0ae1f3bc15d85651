// Where the light charts' parts go.
import assert from "node:assert/strict"
import { test } from "node:test"

import * as layout from "../../playground/ui/components/light_layout.js"

const BOX = layout.plotBox(500, 300, [50, 20, 30, 40]) // plot area: x 50 to 470, y 20 to 260
const mark = (x, y, text, more = {}) => ({ x, y, text, size: 10, at: "top right", values: ["1", "2"], ...more })

test("shares of the plot area become pixels, y upwards", () => {
  assert.deepEqual([BOX.x(0), BOX.x(1), BOX.y(0), BOX.y(1)], [50, 470, 260, 20])
  assert.equal(layout.plotBox(60, 100, [50, 0, 30, 0]).right, 90, "a plot area is never turned inside out")
})

test("a path begins anew after a missing number", () => {
  assert.equal(layout.pathOf([0, 0.5, null, 1], [0, 1, 1, 0], BOX), "M50.0 260.0L260.0 20.0M470.0 260.0")
  assert.equal(layout.pathOf([0, 0.5, 1], [0, null, 1], BOX), "M50.0 260.0M470.0 20.0")
})

test("ticks that would touch are left blank, in whatever order they come", () => {
  const ticks = [[0.5, "0.5"], [0, "0"], [0.51, "0.51"], [1, "1"]]
  assert.deepEqual(layout.sparseTicks(ticks, BOX.x), [[0, "0"], [0.5, "0.5"], [0.51, ""], [1, "1"]])
  assert.equal(ticks[0][1], "0.5", "the data stay as they were")
})

test("a long name is cut to its room and says so", () => {
  assert.equal(layout.shortened("short", 60), "short")
  const cut = layout.shortened("a name that is far too long", 60)
  assert.ok(cut.endsWith("…") && layout.textWidth(cut) <= 60)
})

test("the lines of a text lie below, around or above its place", () => {
  assert.equal(layout.firstBaseline(100, 2, 10, "top"), 110)
  assert.equal(layout.firstBaseline(100, 1, 10, "bottom"), 95)
  assert.ok(Math.abs(layout.firstBaseline(100, 2, 10, "bottom") + 11.5 - 95) < 1e-9, "the last line keeps its place")
  const [first, last] = [layout.firstBaseline(100, 3, 10, "middle"), layout.firstBaseline(100, 3, 10, "middle") + 23]
  assert.ok(first < 100 && last > 100)
})

test("a bar's text stands inside where it fits, else beside, else before the end", () => {
  const bar = (to, inside, text = "12 GB") => layout.barText({ x: [0, to], inside, text }, BOX)
  assert.deepEqual(bar(0.5, true), { at: 155, anchor: "middle" })
  assert.equal(bar(0.05, true), null)
  assert.equal(bar(0.5, false).anchor, "start")
  assert.equal(bar(1, false).anchor, "end")
  assert.equal(bar(0.1, false, "a text that is wider than what is left on either side").anchor, "start")
})

test("labels do not cover one another or another mark while there is a free place", () => {
  const marks = [mark(0.5, 0.5, "first"), mark(0.52, 0.5, "second"), mark(0.5, 0.53, "third")]
  const placed = layout.placeMarks(marks, BOX)
  const labels = placed.map((one) => one.label)
  labels.forEach((label, at) => {
    for (const other of labels.slice(at + 1)) assert.ok(!layout.overlap(label, other))
    for (const one of placed) assert.ok(one === placed[at] || !layout.overlap(label, one))
  })
})

test("marks outside the picture are left out, and no label is cut off by its edge", () => {
  const placed = layout.placeMarks([mark(1.2, 0.5, "out"), mark(1, 0.5, "at the edge"), mark(0.2, 0.2, "")], BOX)
  assert.deepEqual(placed.map((one) => one.mark.text), ["at the edge", ""])
  assert.ok(placed[0].label.right < BOX.width)
  assert.equal(placed[1].label, null)
})

test("a note near the right edge is written to its left", () => {
  const note = { text: "a long enough note", size: 12, across: "left" }
  assert.deepEqual([0.1, 0.95, 1].map((x) => layout.noteSide({ ...note, x }, BOX)), ["left", "right", "left"])
})

const DATA = {
  x: { title: "tokens" },
  y: { title: "loss" },
  lines: [
    { name: "one", x: [0, 0.5, 1, 1.5], y: [0, 0.5, null, 1], values: [["0", "3"], ["5", "2"], ["9", "–"], ["12", "1"]] },
    { name: "two", x: [0, 0.5], y: [0.2, 0.8], values: [["0", "2.5"], ["5", "1.5"]] },
  ],
  marks: [],
  bars: [],
}

test("every point in view can be asked for its values, and no other", () => {
  const spots = layout.spotsOf(DATA, BOX)
  assert.deepEqual(spots.map((spot) => [spot.row, spot.said.join(" ")]), [
    [0, "one tokens: 0 loss: 3"], [0, "one tokens: 5 loss: 2"], [1, "two tokens: 0 loss: 2.5"], [1, "two tokens: 5 loss: 1.5"],
  ])
  assert.equal(layout.nearest(spots, 52, 258), spots[0])
  assert.equal(layout.nearest(spots, 400, 30), null)
})

test("arrows walk along a curve and from curve to curve", () => {
  const spots = layout.spotsOf(DATA, BOX)
  const lead = (key, at) => spots.indexOf(layout.spotTargetOf(key, spots[at], spots))
  assert.deepEqual([lead("ArrowRight", 0), lead("ArrowRight", 1), lead("ArrowLeft", 0), lead("ArrowDown", 1), lead("ArrowUp", 1)], [1, 1, 0, 3, 3])
  assert.equal(layout.spotTargetOf("ArrowDown", null, spots), spots[0], "the first key shows the first point")
  assert.equal(layout.spotTargetOf("ArrowDown", null, []), null)
})

test("the bar under the pointer is the one shown", () => {
  const bars = [{ x: [0, 0.5], y: [0.1, 0.3], text: "1 GB", said: ["weights", "1", "GB"] }, { x: [0, 2], y: [0.6, 0.8], text: "9 GB", said: ["cache", "cache"] }]
  const spots = layout.spotsOf({ ...DATA, lines: [], bars }, BOX)
  assert.equal(layout.nearest(spots, 100, BOX.y(0.2)).said[1], "1 GB tokens")
  assert.equal(layout.nearest(spots, 469, BOX.y(0.7)).said[1], "9 GB")
  assert.equal(layout.nearest(spots, 300, BOX.y(0.2)), null)
})

test("curves are lower on a phone, bars keep their rows", () => {
  const curves = { height: 540, lines: [{}] }, bars = { height: 540, lines: [] }
  assert.deepEqual([layout.pictureHeight(curves, 725), layout.pictureHeight(curves, 358)], [540, 380])
  assert.equal(layout.pictureHeight(bars, 358), 540)
  assert.equal(layout.pictureHeight({ ...curves, height: 300 }, 358), 300)
})
