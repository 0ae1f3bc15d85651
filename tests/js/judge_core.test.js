// The queue of questions: votes given faster than Python answers are all sent, and what is in view stays in view.
import assert from "node:assert/strict"
import { test } from "node:test"

import { newQueue, press, pressOf, takeOver } from "../../playground/ui/components/judge_core.js"

const pairs = (...ids) => ids.map((id) => ({ id }))
const inView = (queue) => queue.waiting[0]?.id

test("keys say what they say, and with a modifier nothing", () => {
  const said = (key, more = {}) => pressOf({ key, ...more })
  assert.deepEqual(["1", "2", "0", "t", "T", "b", "B", "u", "Backspace"].map((key) => said(key)),
    ["left", "right", "tie", "tie", "tie", "both_bad", "both_bad", "undo", "undo"])
  assert.equal(said("x") + said("1", { ctrlKey: true }) + said("b", { repeat: true }) + said("toString"), "")
})

test("votes are sent until they are heard, each with its number", () => {
  const queue = takeOver(newQueue(), { pairs: pairs("a", "b", "c"), heard: 4 })
  assert.deepEqual(press(queue, "left"), [{ number: 5, id: "a", what: "left" }])
  assert.deepEqual(press(queue, "tie").map((event) => event.number), [5, 6])
  takeOver(queue, { pairs: pairs("b", "c", "d"), heard: 5 }) // Python has not heard of b
  assert.deepEqual(queue.waiting.map((pair) => pair.id), ["c", "d"])
  assert.deepEqual(press(queue, "right").map((event) => event.id), ["b", "c"])
})

test("what is in view stays when another order comes", () => {
  const queue = takeOver(newQueue(), { pairs: pairs("a", "b"), heard: 0 })
  takeOver(queue, { pairs: pairs("x", "y"), heard: 0 })
  assert.equal(inView(queue), "a")
  press(queue, "left")
  assert.equal(inView(queue), "x")
})

test("the last vote can be taken back, and the one before", () => {
  const queue = takeOver(newQueue(), { pairs: pairs("a", "b", "c"), heard: 0 })
  assert.equal(press(queue, "undo"), null)
  press(queue, "left")
  press(queue, "right")
  assert.deepEqual(press(queue, "undo").at(-1), { number: 3, id: "b", what: "undo" })
  assert.equal(inView(queue), "b")
  press(queue, "undo")
  assert.equal(inView(queue), "a")
  takeOver(queue, { pairs: pairs("a", "b", "c"), heard: 4 })
  assert.deepEqual(queue.waiting.map((pair) => pair.id), ["a", "b", "c"])
})

test("nothing is said where nothing is asked", () => {
  const queue = takeOver(newQueue(), { pairs: [], heard: 0 })
  assert.equal(press(queue, "left"), null)
})
