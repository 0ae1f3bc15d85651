// A clock that goes in the browser.
import assert from "node:assert/strict"
import { test } from "node:test"

import { clockSays, clockText } from "../../playground/ui/components/clock.js"

test("minutes and seconds, hours where there are some, never below nothing", () => {
  assert.deepEqual([0, 5.9, 65, 3605, -3].map(clockText), ["0:00", "0:05", "1:05", "1:00:05", "0:00"])
})

test("what is left shrinks to the end and says so", () => {
  const said = (passed) => clockSays({ left: 30, gone: 0, planned: 0 }, passed)
  assert.deepEqual(said(0), { text: "0:30 left", late: false })
  assert.deepEqual(said(20.5), { text: "0:10 left", late: true })
  assert.deepEqual(said(31), { text: "Time is up", late: true })
})

test("what is gone grows past what was planned", () => {
  const said = (passed) => clockSays({ left: null, gone: 170, planned: 180 }, passed)
  assert.deepEqual(said(0), { text: "2:50 of 3:00", late: false })
  assert.deepEqual(said(11), { text: "3:01 of 3:00", late: true })
})
