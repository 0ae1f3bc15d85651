// What is asked next and what was pressed, without a page: a queue of questions, and presses that are sent until they are heard.

const KEYS = new Map([
  ["1", "left"], ["2", "right"], ["0", "tie"], ["t", "tie"], ["b", "both_bad"], ["u", "undo"], ["Backspace", "undo"],
])

// What a key says, "" for one that says nothing here: with a modifier it is the browser's or the page's.
export function pressOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return ""
  return KEYS.get(event.key.length === 1 ? event.key.toLowerCase() : event.key) || ""
}

export function newQueue() {
  return { waiting: [], answered: [], unheard: [], number: 0, begun: false }
}

// Take over what Python says. The question in view stays, and so do presses that it has not heard of.
export function takeOver(queue, data) {
  if (!queue.begun) queue.number = data.heard
  queue.begun = true
  queue.unheard = queue.unheard.filter((event) => event.number > data.heard)
  const pending = new Set(queue.unheard.filter((event) => event.what !== "undo").map((event) => event.id))
  const shown = queue.waiting.slice(0, 1)
  const others = data.pairs.filter((pair) => !pending.has(pair.id) && pair.id !== shown[0]?.id)
  queue.waiting = [...shown, ...others]
  return queue
}

// One press; null where it says nothing now, else what is to be sent: all that has not been heard of.
export function press(queue, what) {
  const undone = what === "undo"
  if (undone ? !queue.answered.length : !queue.waiting.length) return null
  const pair = undone ? queue.answered.pop() : queue.waiting.shift()
  if (undone) queue.waiting.unshift(pair)
  else queue.answered.push(pair)
  queue.number += 1
  queue.unheard.push({ number: queue.number, id: pair.id, what })
  return queue.unheard
}
