// The text and the heatmaps: a token or a cell under the pointer or the focus shows its row and its column everywhere.
// Everything from Python is text; it reaches the page through textContent and fillText only.
const views = new WeakMap()

// -- the text ---------------------------------------------------------------------------------------------------------

function paintText(state) {
  const { data, buttons, panels } = state
  const at = state.active, scale = scaleOf(data)
  const panel = panels[0]
  buttons.forEach((button, index) => {
    const [query, key] = index <= at ? [at, index] : [index, at]
    const weight = at < 0 ? null : weightAt(panel, query, key)
    let ground = "", ink = ""
    if (weight !== null) {
      const colour = state.shades[shadeOf(weight, scale, panel.top, data.floor)]
      ground = `rgb(${colour.join(" ")})`
      ink = inkOn(colour)
    }
    if (button.ground !== ground) {
      button.ground = ground
      button.style.background = ground
      button.style.color = ink
    }
    button.classList.toggle("active", index === at)
    button.classList.toggle("picked", index === state.picked)
  })
}

function strongest(state, at) {
  const panel = state.panels[0]
  const rows = state.data.tokens.map((_, index) => index)
  const best = (pairs) => pairs.filter(([, weight]) => weight !== null).sort((a, b) => b[1] - a[1]).slice(0, 3)
    .map(([index, weight]) => `${nameOf(state, index)} ${percentText(weight, state.data.coarse)}`).join(", ")
  const to = best(rows.slice(0, at + 1).map((key) => [key, weightAt(panel, at, key)]))
  const from = best(rows.slice(at + 1).map((query) => [query, weightAt(panel, query, at)]))
  const [outward, inward] = state.data.verbs
  return `${nameOf(state, at)} ${outward} ${to || "nothing shown"}; ${inward} ${from || "nothing after it"}`
}

function makeToken(state, index) {
  const button = made("button", "token", state.text)
  button.type = "button"
  button.onclick = () => state.pick(index)
  button.onmouseenter = button.onfocus = () => { state.walkTo(index); state.point(index, -1) }
  button.onmouseleave = button.onblur = () => state.point(-1, -1)
  return button
}

function fillText(state) {
  const { tokens } = state.data
  while (state.buttons.length > tokens.length) state.buttons.pop().remove()
  while (state.buttons.length < tokens.length) state.buttons.push(makeToken(state, state.buttons.length))
  state.buttons.forEach((button, index) => {
    button.textContent = tokens[index]
    button.setAttribute("aria-label", `${nameOf(state, index)}, token`)
  })
}

// -- both together ----------------------------------------------------------------------------------------------------

function say(state) {
  const { active, key } = state
  if (active < 0) {
    state.status.textContent = "Hover, or walk with the arrow keys; click or Enter marks a query."
    return
  }
  if (key < 0) {
    state.status.textContent = strongest(state, active)
    return
  }
  const told = state.panels.map((panel) => {
    const weight = weightAt(panel, active, key)
    return weight === null ? "hidden" : percentText(weight, state.data.coarse)
  })
  state.status.textContent = `query ${nameOf(state, active)} → key ${nameOf(state, key)}: ${told.join(" | ")}`
}

function scaleEnds(data) {
  const top = Math.max(...data.panels.map((panel) => panel.top))
  return { linear: ["0%", "100%"], stretched: ["0%", `${percentText(top)}, the largest shown`],
    log: [`${percentText(data.floor)} or less, log scale`, "100%"] }[scaleOf(data)]
}

function paintLegend(state) {
  const { data, legend } = state
  const ends = scaleEnds(data)
  legend.replaceChildren()
  made("span", "end", legend, ends[0])
  made("span", "bar", legend).style.background = `linear-gradient(90deg, ${data.colours.join(", ")})`
  made("span", "end", legend, ends[1])
  made("span", "blank", legend, "blank: not visible to the query")
}

function repaint(state) {
  const style = getComputedStyle(state.root)
  state.ink = style.color
  state.ground = style.getPropertyValue("--ground").trim() || style.getPropertyValue("--st-background-color").trim() || "#fff"
  const wide = state.root.clientWidth
  if (!wide || !scaleOf(state.data)) return
  const count = state.panels.length
  const columns = wide >= 480 ? count : 1
  state.grid.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`
  const width = Math.floor((wide - 16 * (columns - 1)) / columns)
  state.heats.forEach((heat, index) => {
    drawHeat(state, heat, state.panels[index], Math.min(width, 900))
    drawMarks(state, heat, state.panels[index])
  })
}

function setUpView(parentElement) {
  const root = parentElement.querySelector(".attention")
  const state = { root, buttons: [], heats: [], panels: [], cell: [0, 0], active: -1, key: -1, picked: -1, shown: null }
  state.legend = made("div", "legend", root)
  state.text = made("div", "text", root)
  state.text.setAttribute("role", "toolbar")
  state.status = made("div", "status", root)
  state.status.setAttribute("role", "status")
  state.grid = made("div", "grid", root)
  state.walkTo = (index) => {
    state.cursor = index
    state.buttons.forEach((button, at) => { button.tabIndex = at === index ? 0 : -1 })
  }
  state.point = (query, key) => {
    if (!scaleOf(state.data)) return // nothing is painted yet
    state.active = query >= 0 ? query : state.picked
    state.key = query >= 0 ? key : -1
    if (query >= 0 && key >= 0) state.cell = [query, key]
    paintText(state)
    state.heats.forEach((heat, index) => drawMarks(state, heat, state.panels[index]))
    say(state)
  }
  state.text.onkeydown = (event) => {
    const last = state.buttons.length - 1
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }
    let target = null
    if (event.key in steps) target = state.cursor + steps[event.key]
    else if (event.key === "Home") target = 0
    else if (event.key === "End") target = last
    if (target === null) return
    event.preventDefault()
    event.stopPropagation()
    state.buttons[Math.max(0, Math.min(target, last))].focus()
  }
  new ResizeObserver(() => repaint(state)).observe(root)
  const theme = new MutationObserver(() => repaint(state)) // light and dark are variables on an element above
  for (let node = parentElement; node; node = node.parentNode || node.host) {
    if (node instanceof Element) theme.observe(node, { attributes: true, attributeFilter: ["style", "class"] })
  }
  followChosen(root, COLOURS, () => { if (!state.data.scale) recolour(state) })
  saveWhenAsked(root, "attention", () => wholePicture(state))
  return state
}

// What another colour scale changes. Nothing before the page has told which it is.
function recolour(state) {
  if (!scaleOf(state.data)) return
  state.panels.forEach((panel) => colourPanel(state.data, panel))
  paintLegend(state)
  repaint(state)
  state.point(-1, -1)
  state.root.dataset.painted = String(Number(state.root.dataset.painted || 0) + 1) // so that a painted picture can be waited for
}

// The heatmaps side by side, each under its title, above the scale.
function wholePicture(state) {
  const parts = state.heats.map((heat) => heat.base)
  const density = window.devicePixelRatio || 1
  const gap = 16 * density, head = 26 * density, foot = 24 * density
  const whole = document.createElement("canvas")
  whole.width = parts.reduce((sum, part) => sum + part.width, gap * (parts.length - 1))
  whole.height = head + Math.max(...parts.map((part) => part.height)) + foot
  const context = whole.getContext("2d")
  context.fillStyle = state.ground
  context.fillRect(0, 0, whole.width, whole.height)
  let left = 0
  parts.forEach((part, index) => {
    context.fillStyle = state.ink
    context.font = `bold ${13 * density}px system-ui, sans-serif`
    context.fillText(state.panels[index].title, left + 4 * density, 17 * density)
    context.drawImage(part, left, head)
    left += part.width + gap
  })
  drawScale(context, scaleEnds(state.data), state.data.colours, state.ink, 4 * density, whole.height - foot / 2, density)
  return whole
}

function attentionView(component) {
  const { data, parentElement, setTriggerValue } = component
  let state = views.get(parentElement)
  if (!state) {
    state = setUpView(parentElement)
    views.set(parentElement, state)
  }
  state.pick = (index) => {
    state.picked = index
    state.point(-1, -1)
    setTriggerValue("picked", { query: data.start + index, version: data.version })
  }
  state.data = data
  state.shades = ramp(data.colours)
  state.panels = data.panels.map(readPanel)
  while (state.heats.length > data.panels.length) state.heats.pop().box.remove()
  while (state.heats.length < data.panels.length) state.heats.push(makeHeat(state))
  fillText(state)
  state.text.setAttribute("aria-label", `The text: to the left of the chosen token, what it ${data.verbs[0]}; to the right, what stands in that relation to it`)
  state.picked = data.query >= data.start && data.query < data.start + data.tokens.length ? data.query - data.start : -1
  const last = data.tokens.length - 1
  state.cell = [Math.min(state.cell[0], last), Math.min(state.cell[1], state.cell[0], last)]
  state.walkTo(Math.min(state.picked >= 0 ? state.picked : state.cursor || 0, last))
  if (state.picked >= 0) { // a long text shows the marked token without moving the page
    const at = state.buttons[state.picked].offsetTop - state.text.offsetTop
    if (at < state.text.scrollTop || at > state.text.scrollTop + state.text.clientHeight - 30) state.text.scrollTop = at - 60
  }
  recolour(state)
  if (data.locked[0] >= 0) window.dispatchEvent(new CustomEvent(LOCKED, { detail: data.locked }))
}
