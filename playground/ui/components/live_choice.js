// A row of radio buttons whose choice the page's pictures follow at once; Python is told afterwards. `serial` counts the
// presses: what comes from Python before it has heard of the last one is old and changes nothing.
const rows = new WeakMap()

function added(tag, name, parent, text) {
  const element = document.createElement(tag)
  element.className = name
  if (text !== undefined) element.textContent = text
  parent.appendChild(element)
  return element
}

function choose(state, value) {
  state.value = value
  state.buttons.forEach((button, at) => {
    const chosen = state.data.values[at] === value
    button.setAttribute("aria-checked", chosen ? "true" : "false")
    button.tabIndex = chosen ? 0 : -1
  })
  if (chosenOf(state.data.name) !== value) tellChosen(state.data.name, value)
}

function press(state, at) {
  const value = state.data.values[at]
  state.buttons[at].focus()
  if (value === state.value) return
  state.serial += 1
  choose(state, value)
  state.send({ value, serial: state.serial })
}

function walk(state, event) {
  const count = state.buttons.length
  const at = state.data.values.indexOf(state.value)
  const target = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: count - 1 }[event.key]
  if (target === undefined) return
  event.preventDefault()
  event.stopPropagation()
  press(state, (target + count) % count)
}

function helpFor(state, head) {
  const button = added("button", "help", head)
  button.type = "button"
  button.setAttribute("aria-label", `Help for ${state.data.label}`)
  button.setAttribute("aria-describedby", "tip")
  button.innerHTML = '<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="10"/>'
    + '<path d="M9.09 9a3 3 0 0 1 5.83 1c0 2-3 3-3 3"/><path d="M12 17h.01"/></svg>' // ours; nothing of the model's
  const card = makeCard(state.root)
  card.id = "tip"
  fillCard(card, { lines: [state.data.help] })
  const show = () => placeCard(card, state.group, state.root) // below the buttons, which stay in view
  const hide = () => { card.hidden = true }
  button.onmouseenter = button.onfocus = button.onclick = show
  button.onmouseleave = button.onblur = hide
  button.onkeydown = (event) => { if (event.key === "Escape") hide() }
}

function fill(state) {
  const { data, root } = state
  root.replaceChildren()
  const head = added("div", "head", root)
  added("span", "label", head, data.label).setAttribute("aria-hidden", "true")
  if (data.help) helpFor(state, head)
  const group = state.group = added("div", "group", root)
  group.setAttribute("role", "radiogroup")
  group.setAttribute("aria-label", data.label)
  group.onkeydown = (event) => walk(state, event)
  state.buttons = data.labels.map((label, at) => {
    const button = added("button", "option", group, label)
    button.type = "button"
    button.setAttribute("role", "radio")
    button.onclick = () => press(state, at)
    return button
  })
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  let state = rows.get(parentElement)
  if (!state) {
    state = { root: parentElement.querySelector(".liveChoice"), buttons: [], serial: data.serial, shown: "" }
    rows.set(parentElement, state)
  }
  state.data = data
  state.send = (choice) => setTriggerValue("chosen", choice)
  const shown = JSON.stringify([data.label, data.help, data.values, data.labels])
  const fresh = shown !== state.shown
  if (fresh) fill(state)
  state.shown = shown
  const heard = data.serial >= state.serial
  if (heard) state.serial = data.serial
  if (fresh || heard) choose(state, heard ? data.value : state.value)
}
