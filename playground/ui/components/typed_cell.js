// A table's open cell sets a timer at every key. Enter and Tab note that the cell is done, and their own timer hands over what was
// typed. Where the timer of a key before is late, it finds that note first and closes the cell with nothing: what was typed is lost
// (Glide Data Grid below Streamlit 1.67, to a quick hand or on a busy machine). The cell sets no timer at keys that an input method
// is still composing with: here every key that cannot end a cell is taken for one of those. Its own field gets it all the same.
const OPEN_CELL = ".gdg-clip-region"

/** Whether a key can end an open cell. */
export const endsCell = ({ key, shiftKey }) => key === "Tab" || key === "Escape" || (key === "Enter" && !shiftKey)

/** To be called with each pressed key, before the table hears of it. */
export function spareOpenCell(event) {
  if (endsCell(event) || !event.target.closest?.(OPEN_CELL)) return
  Object.defineProperty(event, "isComposing", { value: true })
}

/** Once for the whole page, however often a component asks for it. */
export function keepTypedCells() {
  if (window.playgroundKeepsCells) return
  window.playgroundKeepsCells = true
  document.addEventListener("keydown", spareOpenCell, true)
}
