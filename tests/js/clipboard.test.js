// Copying where the browser offers none.
import assert from "node:assert/strict"
import { test } from "node:test"

import { offerClipboard } from "../../playground/ui/components/clipboard.js"

function pageThat(copies) {
  const page = { copied: null, left: 0, focused: 0, activeElement: { focus: () => (page.focused += 1) } }
  page.createElement = () => ({ style: {}, setAttribute() {}, select() { page.selected = this.value }, remove: () => (page.left -= 1) })
  page.body = { append: () => (page.left += 1) }
  page.execCommand = () => (copies ? ((page.copied = page.selected), true) : false)
  return page
}

test("without a clipboard the text is selected and copied, and nothing stays behind", async () => {
  const browser = {}
  const page = pageThat(true)
  offerClipboard(browser, page)
  await browser.clipboard.writeText("http://room")
  assert.deepEqual([page.copied, page.left, page.focused], ["http://room", 0, 1])
})

test("a browser that refuses says so, and one with a clipboard keeps its own", async () => {
  const browser = {}
  offerClipboard(browser, pageThat(false))
  await assert.rejects(browser.clipboard.writeText("x"))
  const own = { clipboard: { writeText() {} } }
  const before = own.clipboard
  offerClipboard(own, pageThat(true))
  assert.equal(own.clipboard, before)
})
