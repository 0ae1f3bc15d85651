// The address bar shows the link of what is on screen; the history stays as it is. Every page has it, and it hears of each
// section that opens: so the open tab is brought into view from here, and what the reader chose or typed into a table is kept.
import { keepChosenTabs } from "./chosen_tab.js"
import { bringOpenTabsIntoView } from "./open_tab.js"
import { keepTypedCells } from "./typed_cell.js"

export default function addressBar({ data }) {
  const query = `?${data.query}`
  if (data.query !== null && window.location.search !== query) {
    window.history.replaceState(window.history.state, "", window.location.pathname + query)
  }
  bringOpenTabsIntoView()
  keepChosenTabs()
  keepTypedCells()
}
