// A row of tabs takes over what each run of the script says is open, and a click is sent a moment after it: the run of the click
// before, where it comes in between, undoes the later one on the screen and in the message (Streamlit 1.67, one quick click in
// 300 on a busy machine). Here the tab that the reader chose last is chosen once more. A tab is also disabled for a moment while its
// page is drawn anew, and loses the focus that the keys had given it: it gets it back.
const HOLDS_MS = 3000 // afterwards another tab opens because somebody meant it to
const TRIES = 3

/** What the reader chose, from now on. */
export const choiceOf = (row, name, now) => ({ row, name, until: now + HOLDS_MS, tries: TRIES })

/** Whether that another tab of a row has opened undoes the choice. */
export const undoes = (choice, row, opened, now) => Boolean(choice) && choice.row === row && choice.name !== opened && now < choice.until && choice.tries > 0

const tabOf = (node) => node?.closest?.('[role="tablist"] > [role="tab"]')

function watch() {
  let choice = null
  const note = (tab, byKey = false) => {
    choice = tab ? { ...choiceOf(tab.parentElement, tab.textContent, performance.now()), byKey } : null
  }
  const isChosen = (tab) => choice?.row === tab.parentElement && choice.name === tab.textContent
  const byPointer = (event) => event.isTrusted && note(tabOf(event.target))
  document.addEventListener("pointerdown", byPointer, true)
  document.addEventListener("click", byPointer, true)
  document.addEventListener("keydown", (event) => {
    if (!event.isTrusted) return
    note(null)
    setTimeout(() => note(tabOf(document.activeElement), true), 0) // the arrows have moved by then
  }, true)
  const chooseAgain = (records) => {
    for (const { target, attributeName } of records) {
      if (attributeName === "aria-disabled") {
        const lost = choice?.byKey && !target.hasAttribute("aria-disabled") && document.activeElement === document.body
        if (lost && isChosen(target)) target.focus()
        continue
      }
      if (target.getAttribute("aria-selected") !== "true" || !tabOf(target)) continue
      if (!undoes(choice, target.parentElement, target.textContent, performance.now())) continue
      choice.tries -= 1
      const { row, name } = choice
      setTimeout(() => [...row.children].find((tab) => tab.textContent === name)?.click(), 0)
    }
  }
  new MutationObserver(chooseAgain).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["aria-selected", "aria-disabled"] })
}

/** Once for the whole page, however often a component asks for it. */
export function keepChosenTabs() {
  if (window.playgroundKeepsTabs) return
  window.playgroundKeepsTabs = true
  watch()
}
