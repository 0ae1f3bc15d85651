// Which tab stays open when another one opens by itself.
import assert from "node:assert/strict"
import { test } from "node:test"

import { choiceOf, undoes } from "../../playground/ui/components/chosen_tab.js"

test("another tab of the same row, at once, undoes a choice; of another row, later or for the fourth time it does not", () => {
  const choice = choiceOf("row", "Proof", 1000)
  assert.equal(undoes(null, "row", "Bars", 1001), false)
  assert.deepEqual([["row", "Bars", 1500], ["row", "Proof", 1500], ["other", "Bars", 1500], ["row", "Bars", 4500]].map((seen) => undoes(choice, ...seen)), [true, false, false, false])
  assert.equal(undoes({ ...choice, tries: 0 }, "row", "Bars", 1500), false)
})
