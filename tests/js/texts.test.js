// What the components write: classes, labels, names.
import assert from "node:assert/strict"
import { test } from "node:test"

import { legendOf, rowClass, widthOf } from "../../playground/ui/components/bars.js"
import { depthAndPlace, linesOf, sideWords } from "../../playground/ui/components/lens_grid.js"
import { cssRamp, fitted } from "../../playground/ui/components/picture.js"
import { labelOf, looksTheSame } from "../../playground/ui/components/token_strip.js"

test("a bar's width is its share, and its row says what happened to the token", () => {
  assert.deepEqual([0, 0.12345678, 1].map(widthOf), ["0.000%", "12.346%", "100.000%"])
  assert.equal(rowClass({ removed: true, chosen: false, pick: 7 }, true), "row removed cut")
  assert.equal(rowClass({ removed: false, chosen: true, pick: -1 }, false), "row chosen rest")
})

test("a legend names only what the picture has: no final bars where raw probabilities alone are told", () => {
  assert.deepEqual(legendOf({ rows: [{ untold: true }, { untold: true }], bounded: false }), { ifBounded: false, ifFinal: false })
  assert.deepEqual(legendOf({ rows: [{}, { untold: true }], bounded: true }), { ifBounded: true, ifFinal: true })
})

test("a depth's name in pieces is the name, and the embedding is depth 0 on a narrow screen", () => {
  for (const name of ["layer 12", "layer 12 (last)", "layer 3 of 30"]) {
    assert.equal(sideWords(name).map(([, text]) => text).join(""), name)
  }
  assert.deepEqual(sideWords("embedding"), [["word", "embedding"], ["narrow", "0"]])
})

test("a lens cell is numbered row by row", () => {
  assert.deepEqual([0, 4, 5, 14].map((at) => depthAndPlace(at, 5)), [[0, 0], [0, 4], [1, 0], [2, 4]])
})

test("a lens cell's lines hold its token and its numbers, and say where the answer's token leads", () => {
  const data = {
    tokens: ["a", "b"], depths: ["embedding", "layer 1"], first: 3, texts: ["x", "y"], tops: [0, 1, 1, 0],
    probabilities: ["1%", "2%", "3%", "4%"], entropies: ["5", "6", "7", "8"], divergences: [".1", ".2", ".3", ".4"], leads: [1, 2],
  }
  assert.deepEqual(linesOf(data, 2), ["layer 1, after a (position 3)", "y 3%, the answer's token from here on", "entropy 7 nats, KL to the answer .3 nats"])
  assert.ok(!linesOf(data, 3)[1].includes("answer"))
})

test("a token is painted again when what is seen or read of it changes, and only then", () => {
  const token = { text: "a", kind: "step", lines: ["id 5", "12.00%"] }
  assert.equal(labelOf(token), "id 5, 12.00%")
  assert.equal(labelOf({ label: "said", lines: ["x"] }), "said")
  assert.ok(looksTheSame(token, { ...token }))
  for (const change of [{ text: "b" }, { kind: "ghost" }, { background: "#123456" }, { breaks: true }, { lines: ["id 6"] }]) {
    assert.ok(!looksTheSame(token, { ...token, ...change }))
  }
  assert.ok(!looksTheSame(undefined, token))
})

test("a text that is too wide is cut until it fits", () => {
  const context = { measureText: (text) => ({ width: 10 * text.length }) }
  assert.equal(fitted(context, "short", 50), "short")
  assert.equal(fitted(context, "longer", 50), "long…")
  assert.equal(fitted(context, "longer", 1), "l…", "at least one letter is left")
})

test("a legend's gradient names the colours in order", () => {
  assert.equal(cssRamp(["#000", "#fff"]), "linear-gradient(90deg, #000, #fff)")
})
