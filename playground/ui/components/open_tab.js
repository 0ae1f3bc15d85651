// A row of tabs that is wider than the screen is scrolled to the open one, once for each that opens: where the reader scrolls
// to afterwards is his own business. Told apart before anything is measured, since this runs with every change of the address.
const shown = new WeakMap() // by row: the tab that was brought into view last
const HIDDEN_PX = 28 // what the row's own arrow hides of its edge

export function bringOpenTabsIntoView() {
  for (const tab of document.querySelectorAll('[role="tablist"] > [role="tab"][aria-selected="true"]')) {
    const row = tab.parentElement
    if (shown.get(row) === tab) continue
    shown.set(row, tab)
    const [own, room] = [tab, row].map((node) => node.getBoundingClientRect())
    if (own.left < room.left + HIDDEN_PX || own.right > room.right - HIDDEN_PX) row.scrollLeft += own.left - room.left - (room.width - own.width) / 2
  }
}
