// A key that cannot end a table's open cell is no key to the cell, so that no timer of it closes the cell without what was typed.
import assert from "node:assert/strict"
import { test } from "node:test"

import { endsCell, spareOpenCell } from "../../playground/ui/components/typed_cell.js"

const pressed = (key, { inCell = true, shiftKey = false } = {}) => {
  const event = { key, shiftKey, isComposing: false, target: { closest: () => inCell || null } }
  spareOpenCell(event)
  return event.isComposing
}

test("what ends a cell", () => {
  for (const key of ["Enter", "Tab", "Escape"]) assert.ok(endsCell({ key, shiftKey: false }))
  assert.ok(endsCell({ key: "Tab", shiftKey: true }))
  assert.ok(!endsCell({ key: "Enter", shiftKey: true }), "a new line in the cell")
  for (const key of ["a", ".", " ", "Shift", "Control", "Backspace"]) assert.ok(!endsCell({ key, shiftKey: false }))
})

test("in an open cell other keys are taken for composed ones, and nowhere else", () => {
  assert.deepEqual(["a", ".", "Control"].map((key) => pressed(key)), [true, true, true])
  assert.ok(pressed("Enter", { shiftKey: true }))
  assert.deepEqual(["Enter", "Tab", "Escape"].map((key) => pressed(key)), [false, false, false])
  assert.ok(!pressed("a", { inCell: false }))
})

test("a key may be pressed where there is no element", () => {
  spareOpenCell({ key: "a", shiftKey: false, target: {} })
})
