// Elements, and what every component does with them. All text becomes textContent: nothing that a model or a reader wrote
// can become markup.

// A new element of class `name` at the end of `parent`, with `text` in it where there is one.
export function make(tag, name, parent, text) {
  const element = document.createElement(tag)
  if (name) element.className = name
  if (text !== undefined) element.textContent = text
  if (parent) parent.append(element)
  return element
}

// A button out of the tab order; what walks the buttons (roving_tabindex.js) gives one of them its tab stop.
export function makeButton(name, parent, text) {
  const button = make("button", name, parent, text)
  button.type = "button"
  button.tabIndex = -1
  return button
}

// What a component remembers between two calls, by the element it draws into; `setUp` makes it at the first.
const states = new WeakMap()

export function stateOf(parentElement, setUp) {
  if (!states.has(parentElement)) states.set(parentElement, setUp(parentElement))
  return states.get(parentElement)
}

// Make `elements` `count` long: those that stay are not touched, so that focus and running transitions stay too.
export function resizeList(elements, count, create, remove = (element) => element.remove()) {
  while (elements.length > count) remove(elements.pop())
  while (elements.length < count) elements.push(create(elements.length))
}

// The same for the pointer and for the keyboard.
export function onHover(element, enter, leave) {
  element.onmouseenter = element.onfocus = enter
  element.onmouseleave = element.onblur = leave
}

// The key has done its work here: the page and Streamlit's own shortcuts do not see it.
export function consume(event) {
  event.preventDefault()
  event.stopPropagation()
}

// Counts the paintings of `root`, so that a painted picture can be waited for.
export function countPainting(root) {
  root.dataset.painted = String(Number(root.dataset.painted || 0) + 1)
}

export const clamp = (value, low, high) => Math.max(low, Math.min(value, high))
