// A prompt, two answers and the buttons under them. Texts are a model's and strangers': they become textContent.
import { consume, countPainting, make, makeButton, stateOf } from "./dom.js"
import { newQueue, press, pressOf, takeOver } from "./judge_core.js"

const BUTTONS = [
  ["left", "Answer 1 is better", "1"], ["right", "Answer 2 is better", "2"], ["tie", "A tie", "0"], ["both_bad", "Both are bad", "B"],
]
const TYPED_INTO = "input, textarea, select, [contenteditable=true]"

function answer(parent, number, text) {
  const side = make("section", "answer", parent)
  const name = `Answer ${number}`
  make("div", "name", side, name)
  const body = make("div", "text", side, text.trim() ? text : "(empty)")
  body.dir = "auto"
  body.tabIndex = 0 // long ones scroll by keyboard
  body.setAttribute("role", "region")
  body.setAttribute("aria-label", name)
}

function button(state, parent, [what, label, key]) {
  const made = makeButton(`vote ${what}`, parent)
  made.tabIndex = 0
  make("span", "", made, label)
  make("kbd", "", made, key).setAttribute("aria-hidden", "true")
  made.setAttribute("aria-keyshortcuts", key)
  made.onclick = () => say(state, what)
  return made
}

function paint(state) {
  const { root, queue } = state
  const pair = queue.waiting[0]
  const waits = queue.unheard.length > 0
  const shown = JSON.stringify([pair, queue.answered.length > 0, pair ? "" : waits || state.empty])
  if (shown === state.shown) return
  state.shown = shown
  const focused = root.getRootNode().activeElement?.className
  root.replaceChildren()
  if (pair) {
    if (pair.system) make("div", "system", root, pair.system).dir = "auto"
    make("div", "prompt", root, pair.prompt).dir = "auto"
    const sides = make("div", "sides", root)
    answer(sides, 1, pair.left)
    answer(sides, 2, pair.right)
  } else {
    make("p", "empty", root, waits ? "The next pair is on its way …" : state.empty)
  }
  const row = make("div", "votes", root)
  if (pair) BUTTONS.forEach((each) => button(state, row, each))
  if (queue.answered.length) button(state, row, ["undo", "Take back", "U"])
  if (focused?.startsWith("vote")) root.querySelector(`.${focused.split(" ")[1]}`)?.focus()
  root.setAttribute("aria-live", "polite")
  countPainting(root)
}

function say(state, what) {
  const events = press(state.queue, what)
  if (!events) return
  paint(state)
  state.send({ events: [...events] })
}

function setUpPair(parentElement) {
  const state = { root: parentElement.querySelector(".judgePair"), queue: newQueue(), shown: null, empty: "" }
  state.listen = (event) => {
    const what = pressOf(event)
    const into = event.composedPath()[0]
    if (!what || !state.root.isConnected || !state.root.offsetParent || into.matches?.(TYPED_INTO)) return
    consume(event)
    say(state, what)
  }
  return state
}

export default function judgePair({ data, parentElement, setTriggerValue }) {
  const state = stateOf(parentElement, setUpPair)
  state.send = (sent) => setTriggerValue("pressed", sent)
  state.empty = data.empty
  takeOver(state.queue, data)
  paint(state)
  document.addEventListener("keydown", state.listen) // the same listener again is none more
  return () => document.removeEventListener("keydown", state.listen)
}
