// A component's drawings in the order they were made in. Streamlit calls the script with `await import(…)`: the drawings that
// come while it loads wait for the same loading, and Chromium lets them go in any order. So while the script is young, a
// drawing that is older than the one shown is left out. Later imports answer in turn, and are not held against a clock.
const YOUNG_MS = 10_000
const scriptBegan = performance.now()
const lastDrawn = new WeakMap() // when the drawing shown in an element was made

export const isOld = (made, shown, age) => age < YOUNG_MS && made < shown

export function inOrder(draw) {
  return (call) => {
    const { data, parentElement } = call
    if (isOld(data.drawnAt, lastDrawn.get(parentElement), performance.now() - scriptBegan)) return undefined
    lastDrawn.set(parentElement, data.drawnAt)
    const end = draw(call)
    // The end of a drawing that was overtaken while it waited is not the end of the component.
    return end && (() => { if (!parentElement.isConnected) end() })
  }
}
