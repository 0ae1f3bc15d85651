// The attention pictures' arithmetic: codes, colours, cells and tiles.
import assert from "node:assert/strict"
import { test } from "node:test"

import * as core from "../../playground/ui/components/attention_core.js"

const CIVIDIS = ["#00204c", "#7c7b78", "#ffe945"]

test("bytes and little-endian words come back as they were sent", () => {
  const sent = Uint8Array.from([0, 1, 254, 255, 7, 9])
  assert.deepEqual(core.bytesOf(Buffer.from(sent).toString("base64")), sent)
  assert.deepEqual([...core.wordsOf(sent.subarray(2))], [0xfffe, 0x0907])
})

test("a lower triangle has a place for each cell, once, in order", () => {
  const places = []
  for (let query = 0; query < 7; query++) for (let key = 0; key <= query; key++) places.push(core.cellAt(query, key))
  assert.deepEqual(places, Array.from({ length: core.triangle(7) }, (_, at) => at))
})

test("a weight is the square of its code; blank and later keys have none", () => {
  const words = Uint16Array.from([core.TOP_WORD, core.BLANK_WORD, core.TOP_WORD / 2])
  assert.equal(core.weightAt(words, 0, 0), 1)
  assert.equal(core.weightAt(words, 1, 0), null)
  assert.equal(core.weightAt(words, 1, 1), 0.25)
  assert.equal(core.weightAt(words, 0, 1), null)
})

test("one byte a weight, widened, is within half a step of the byte's weight", () => {
  const codes = Uint8Array.from({ length: 256 }, (_, code) => code)
  const words = core.widened(codes)
  assert.equal(words[core.BLANK_BYTE], core.BLANK_WORD)
  for (let code = 0; code <= core.TOP_BYTE; code++) {
    assert.ok(Math.abs(words[code] / core.TOP_WORD - code / core.TOP_BYTE) <= 0.5 / core.TOP_WORD)
  }
})

test("the ramp begins and ends with its anchors, and passes those between", () => {
  const shades = core.ramp(["#000000", "#ff0000", "#ffffff"])
  assert.equal(shades.length, 256)
  assert.deepEqual([shades[0], shades[255]], [[0, 0, 0], [255, 255, 255]])
  assert.ok(shades[127][0] > 250 && shades[128][1] < 5)
})

for (const scale of ["linear", "stretched", "log"]) {
  test(`on the ${scale} scale a larger weight is never a lower shade`, () => {
    const shades = Array.from({ length: 101 }, (_, at) => core.shadeOf(at / 100, scale, 0.8, 1e-4))
    assert.deepEqual(shades, [...shades].sort((one, other) => one - other))
    assert.equal(shades[0], 0)
    assert.equal(shades[100], 255)
  })
}

test("stretched reaches the top at the largest weight, log reaches the bottom at the floor", () => {
  assert.equal(core.shadeOf(0.3, "stretched", 0.3, 1e-4), 255)
  assert.equal(core.shadeOf(0, "stretched", 0, 1e-4), 0)
  assert.equal(core.shadeOf(1e-4, "log", 1, 1e-4), 0)
  assert.equal(core.shadeOf(1e-2, "log", 1, 1e-4), 128)
})

test("a painted triangle has its colours below the diagonal and nothing above", () => {
  const table = core.palette(core.TOP_BYTE, { colours: CIVIDIS, floor: 1e-4 }, "linear", 1)
  const image = { width: 3, data: new Uint8ClampedArray(36) }
  core.paintTriangle(image, Uint8Array.from([9, core.TOP_BYTE, core.BLANK_BYTE, 0, 0, core.TOP_BYTE]), 1, 2, table, core.BLANK_BYTE)
  assert.deepEqual([...image.data.subarray(0, 4)], [255, 233, 69, 255]) // from code 1 on: the top
  assert.deepEqual([...image.data.subarray(4, 16)].slice(0, 8), [0, 0, 0, 0, 0, 0, 0, 0]) // above the diagonal
  assert.equal(image.data[15], 0) // blank stays transparent
  assert.deepEqual([...image.data.subarray(16, 20)], [0, 32, 76, 255])
})

test("percentages have two decimals, scientific below 0.01%, one decimal where they are coarse", () => {
  const texts = [[1], [0.12345], [0.0001], [0.00002], [0], [null]].map(([weight]) => core.percentText(weight))
  assert.deepEqual(texts, ["100.00%", "12.35%", "0.01%", "2.0·10⁻⁵", "0%", "hidden"])
  assert.deepEqual([0.5, 0.0004].map((weight) => core.percentText(weight, true)), ["50.0%", "under 0.1%"])
})

test("ink has a contrast of 4.5 to 1 on every colour of the ramp", () => {
  const linear = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4)
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
  for (const colour of core.ramp(CIVIDIS)) {
    const [low, high] = [luminance(colour), core.inkOn(colour) === "#000000" ? 0 : 1].sort()
    assert.ok((high + 0.05) / (low + 0.05) >= 4.5, colour.join())
  }
})

test("keys stay within a lower triangle", () => {
  assert.deepEqual(core.cellTargetOf("ArrowUp", [0, 0], 3), [0, 0])
  assert.deepEqual(core.cellTargetOf("ArrowUp", [2, 2], 3), [1, 1])
  assert.deepEqual(core.cellTargetOf("ArrowRight", [1, 1], 3), [1, 1])
  assert.deepEqual(core.cellTargetOf("ArrowDown", [2, 1], 3), [2, 1])
  assert.deepEqual(core.cellTargetOf("End", [2, 0], 3), [2, 2])
  assert.deepEqual(core.cellTargetOf("Home", [2, 1], 3), [2, 0])
  assert.equal(core.cellTargetOf("a", [2, 1], 3), null)
})

test("arrows lead from head to head, and nowhere over the edge", () => {
  const places = [[0, 0], [0, 1], [1, 0], [1, 1]] // [layer, head]
  assert.deepEqual(["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "x"].map((key) => core.headTargetOf(key, 0, places)), [2, 1, -1, -1, -1])
  assert.deepEqual(["ArrowLeft", "ArrowUp"].map((key) => core.headTargetOf(key, 3, places)), [1, 2])
})

test("tiles fill the width within 16 to 46 pixels", () => {
  assert.deepEqual([[1200, 30], [400, 30], [1200, 6]].map(([width, columns]) => core.tileSize(width, columns)), [38, 16, 46])
})

test("a heatmap fits its width, and a point in a cell is that cell", () => {
  for (const [width, side] of [[320, 5], [640, 40], [900, 512]]) {
    const layout = core.heatLayout(width, side, 70)
    assert.ok(layout.left + side * layout.size <= width)
    assert.ok(layout.every * layout.size >= 12)
    const at = (query, key) => core.cellUnder(layout.left + (key + 0.5) * layout.size, layout.head + (query + 0.5) * layout.size, layout, side)
    assert.deepEqual(at(3, 2), [3, 2])
    assert.deepEqual(at(2, 3), [-1, -1])
    assert.deepEqual(at(side, 0), [-1, -1])
  }
})

test("the strongest come first and the hidden not at all", () => {
  assert.deepEqual(core.strongest([[0, 0.1], [1, null], [2, 0.5], [3, 0.2], [4, 0.05]]), [[2, 0.5], [3, 0.2], [0, 0.1]])
})

test("the ends of a scale name the values that have its two end colours", () => {
  assert.deepEqual(core.scaleEnds("linear", 0.3, 1e-4), ["0%", "100%"])
  assert.deepEqual(core.scaleEnds("stretched", 0.3, 1e-4), ["0%", "30.00%, the largest shown"])
  assert.deepEqual(core.scaleEnds("log", 0.3, 1e-4), ["0.01% or less, log scale", "100%"])
})
