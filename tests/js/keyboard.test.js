// Where keys lead, and what a list of buttons keeps.
import assert from "node:assert/strict"
import { test } from "node:test"

import { clamp, resizeList } from "../../playground/ui/components/dom.js"
import { radioTargetOf } from "../../playground/ui/components/live_choice.js"
import { gridTargetOf, HORIZONTAL, makeRover, targetOf, VERTICAL } from "../../playground/ui/components/roving_tabindex.js"

test("a list ends at its ends", () => {
  const lead = (key, at) => targetOf(key, at, 4, HORIZONTAL)
  assert.deepEqual([lead("ArrowRight", 0), lead("ArrowRight", 3), lead("ArrowLeft", 0), lead("End", 1), lead("Home", 3)], [1, 3, 0, 3, 0])
  assert.equal(lead("Enter", 1), null)
  assert.equal(targetOf("ArrowRight", 1, 4, VERTICAL), null)
})

test("radio buttons go round", () => {
  assert.deepEqual(["ArrowRight", "ArrowLeft", "Home", "End"].map((key) => radioTargetOf(key, 2, 3)), [0, 1, 0, 2])
  assert.equal(radioTargetOf("ArrowLeft", 0, 3), 2)
  assert.equal(radioTargetOf(" ", 0, 3), null)
})

test("a grid's keys never leave it, nor change the row or the column they walk along", () => {
  const columns = 3, count = 12
  for (let at = 0; at < count; at++) {
    for (const key of ["ArrowRight", "ArrowLeft", "Home", "End"]) {
      assert.equal(Math.floor(gridTargetOf(key, at, columns, count) / columns), Math.floor(at / columns))
    }
    for (const key of ["ArrowUp", "ArrowDown", "PageUp", "PageDown"]) {
      const to = gridTargetOf(key, at, columns, count)
      assert.ok(to >= 0 && to < count && to % columns === at % columns)
    }
  }
  assert.deepEqual(["ArrowUp", "ArrowDown", "PageUp", "PageDown"].map((key) => gridTargetOf(key, 4, columns, count)), [7, 1, 10, 1])
  assert.equal(gridTargetOf("Escape", 4, columns, count), null)
})

test("one button has the tab stop, also when the list has become shorter or empty", () => {
  let buttons = [{}, {}, {}].map(() => ({ tabIndex: -1, focused: 0, focus() { this.focused += 1 } }))
  const rover = makeRover(() => buttons)
  const stops = () => buttons.map((button) => button.tabIndex)
  rover.to(2, true)
  assert.deepEqual([stops(), buttons[2].focused], [[-1, -1, 0], 1])
  buttons = buttons.slice(0, 2)
  rover.to(rover.at, false)
  assert.deepEqual([stops(), rover.at], [[-1, 0], 1])
  buttons = []
  rover.to(5, true)
  assert.equal(rover.at, 0)
})

test("a list that grows and shrinks leaves alone what stays", () => {
  const removed = [], elements = ["a", "b"]
  resizeList(elements, 4, (index) => index)
  assert.deepEqual(elements, ["a", "b", 2, 3])
  resizeList(elements, 1, () => assert.fail(), (element) => removed.push(element))
  assert.deepEqual([elements, removed], [["a"], [3, 2, "b"]])
})

test("a clamped number is within its bounds", () => {
  assert.deepEqual([clamp(-1, 0, 3), clamp(2, 0, 3), clamp(9, 0, 3)], [0, 2, 3])
})
