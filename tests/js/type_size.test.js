// How large type is here.
import assert from "node:assert/strict"
import { test } from "node:test"

import { sizeOf } from "../../playground/ui/components/type_size.js"

test("sixteen pixels are the usual size, and a hair more or less is no other", () => {
  assert.deepEqual([16, 30.857, 16.01, 32].map(sizeOf), [1, 1.93, 1, 2])
})
