// Drawings that wait for the same script come in any order; the one made last is shown.
import assert from "node:assert/strict"
import { test } from "node:test"

import { inOrder, isOld } from "../../playground/ui/components/in_order.js"

test("of the drawings that waited for the script the newest stays, whichever comes last", () => {
  const shown = []
  const draw = inOrder(({ data }) => { shown.push(data.text) })
  const one = {}, other = {}
  for (const [parentElement, drawnAt] of [[one, 5], [one, 7], [one, 3], [other, 4], [one, 7], [one, 9]]) {
    draw({ parentElement, data: { drawnAt, text: `${drawnAt}` } })
  }
  assert.deepEqual(shown, ["5", "7", "4", "7", "9"], "a theme draws the same once more; another element has its own order")
})

test("once the script is old no clock is asked: another process may be behind", () => {
  assert.ok(isOld(3, 7, 500))
  assert.ok(!isOld(3, 7, 10_500))
  assert.ok(!isOld(7, 7, 500))
  assert.ok(!isOld(3, undefined, 500))
})

test("a component ends when it leaves the page, and not with a drawing that was overtaken", () => {
  let ended = 0
  const parentElement = { isConnected: true }
  const end = inOrder(() => () => { ended += 1 })({ parentElement, data: { drawnAt: 1 } })
  end()
  assert.equal(ended, 0)
  parentElement.isConnected = false
  end()
  assert.equal(ended, 1)
  assert.equal(inOrder(() => undefined)({ parentElement, data: { drawnAt: 2 } }), undefined)
})
