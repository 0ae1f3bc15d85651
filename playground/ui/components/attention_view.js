// The text and the heatmaps: a token or a cell under the pointer or the focus shows its row and its column everywhere.
import { SCALE_CHOICE, inkOn, percentText, ramp, scaleEnds, shadeOf, strongest, weightAt } from "./attention_core.js"
import { LOCKED, colourPanel, drawHeat, drawMarks, makeHeat, nameOf, readPanel, scaleOf } from "./attention_heat.js"
import { countPainting, make, makeButton, onHover, resizeList, stateOf } from "./dom.js"
import { announce, followChoice } from "./event_bus.js"
import { cssRamp, drawScale, saveWhenAsked } from "./picture.js"
import { HORIZONTAL, roveList } from "./roving_tabindex.js"

// -- the text ---------------------------------------------------------------------------------------------------------

function paintText(state) {
  const { data, buttons, panels: [panel], active } = state
  const scale = scaleOf(data)
  buttons.forEach((button, index) => {
    const weight = active < 0 ? null : weightAt(panel.words, Math.max(active, index), Math.min(active, index))
    const colour = weight === null ? null : state.shades[shadeOf(weight, scale, panel.top, data.floor)]
    const ground = colour ? `rgb(${colour.join(" ")})` : ""
    if (button.ground !== ground) {
      button.ground = ground
      button.style.background = ground
      button.style.color = colour ? inkOn(colour) : ""
    }
    button.classList.toggle("active", index === active)
    button.classList.toggle("picked", index === state.picked)
  })
}

// What a token attends to most, and what attends to it most, in words.
function sayStrongest(state, at) {
  const { words } = state.panels[0]
  const rows = state.data.tokens.map((_, index) => index)
  const list = (pairs) => strongest(pairs).map(([index, weight]) => `${nameOf(state, index)} ${percentText(weight, state.data.coarse)}`).join(", ")
  const to = list(rows.slice(0, at + 1).map((key) => [key, weightAt(words, at, key)]))
  const from = list(rows.slice(at + 1).map((query) => [query, weightAt(words, query, at)]))
  const [outward, inward] = state.data.verbs
  return `${nameOf(state, at)} ${outward} ${to || "nothing shown"}; ${inward} ${from || "nothing after it"}`
}

function makeToken(state, index) {
  const button = makeButton("token", state.text)
  button.onclick = () => state.pick(index)
  onHover(button, () => { state.rover.to(index, false); state.point(index, -1) }, () => state.point(-1, -1))
  return button
}

// Another head has the same text: buttons that are written again are laid out again.
function fillText(state) {
  const { data } = state
  const wanted = JSON.stringify([data.start, data.tokens, data.verbs])
  if (state.filled === wanted) return
  state.filled = wanted
  resizeList(state.buttons, data.tokens.length, (index) => makeToken(state, index))
  state.buttons.forEach((button, index) => {
    button.textContent = data.tokens[index]
    button.setAttribute("aria-label", `${nameOf(state, index)}, token`)
  })
  state.text.setAttribute("aria-label", `The text: to the left of the chosen token, what it ${data.verbs[0]}; to the right, what stands in that relation to it`)
}

// A long text shows the marked token without moving the page; once, as asking where it stands lays the page out.
function bringPickedIntoView(state) {
  const { text, buttons, picked, filled, brought } = state
  if (picked < 0 || (brought?.filled === filled && brought.picked === picked)) return
  state.brought = { filled, picked }
  const at = buttons[picked].offsetTop - text.offsetTop
  if (at < text.scrollTop || at > text.scrollTop + text.clientHeight - 30) text.scrollTop = at - 60
}

// -- both together ----------------------------------------------------------------------------------------------------

function statusOf(state) {
  const { active, key, panels, data } = state
  if (active < 0) return "Hover, or walk with the arrow keys; click or Enter marks a query."
  if (key < 0) return sayStrongest(state, active)
  const weights = panels.map((panel) => percentText(weightAt(panel.words, active, key), data.coarse))
  return `query ${nameOf(state, active)} → key ${nameOf(state, key)}: ${weights.join(" | ")}`
}

const endsOf = ({ data }) => scaleEnds(scaleOf(data), Math.max(...data.panels.map((panel) => panel.top)), data.floor)

function paintLegend(state) {
  const { data, legend } = state
  const [low, high] = endsOf(state)
  legend.replaceChildren()
  make("span", "end", legend, low)
  make("span", "bar", legend).style.background = cssRamp(data.colours)
  make("span", "end", legend, high)
  make("span", "blank", legend, "blank: not visible to the query")
}

function repaint(state, marked = true) {
  const style = getComputedStyle(state.root)
  state.ink = style.color
  state.ground = style.getPropertyValue("--ground").trim() || style.getPropertyValue("--st-background-color").trim() || "#fff"
  const wide = state.root.clientWidth
  if (!wide || !scaleOf(state.data)) return
  const columns = wide >= 480 ? state.panels.length : 1
  state.grid.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`
  const width = Math.floor((wide - 16 * (columns - 1)) / columns)
  state.heats.forEach((heat, index) => {
    drawHeat(state, heat, state.panels[index], Math.min(width, 900))
    if (marked) drawMarks(state, heat, state.panels[index])
  })
}

// Show the row and the column of a cell everywhere; -1 for what is not pointed at.
function point(state, query, key) {
  state.pointed = [query, key]
  if (!scaleOf(state.data)) return // nothing is painted yet
  state.active = query >= 0 ? query : state.picked
  state.key = query >= 0 ? key : -1
  if (query >= 0 && key >= 0) state.cell = [query, key]
  paintText(state)
  state.heats.forEach((heat, index) => drawMarks(state, heat, state.panels[index]))
  state.status.textContent = statusOf(state)
}

// Light and dark are variables on an element above.
function watchTheme(element, repaintAll) {
  const theme = new MutationObserver(repaintAll)
  for (let node = element; node; node = node.parentNode || node.host) {
    if (node instanceof Element) theme.observe(node, { attributes: true, attributeFilter: ["style", "class"] })
  }
}

function setUpView(parentElement) {
  const root = parentElement.querySelector(".attention")
  const state = { root, buttons: [], heats: [], panels: [], cell: [0, 0], pointed: [-1, -1], active: -1, key: -1, picked: -1 }
  state.legend = make("div", "legend", root)
  state.text = make("div", "text", root)
  state.text.setAttribute("role", "toolbar")
  state.status = make("div", "status", root)
  state.status.setAttribute("role", "status")
  state.grid = make("div", "grid", root)
  state.rover = roveList(state.text, () => state.buttons, HORIZONTAL)
  state.point = (query, key) => point(state, query, key)
  new ResizeObserver(() => repaint(state)).observe(root)
  watchTheme(parentElement, () => repaint(state))
  followChoice(root, SCALE_CHOICE, () => { if (!state.data.scale) recolour(state) })
  saveWhenAsked(root, "attention", () => wholePicture(state))
  return state
}

// What another colour scale changes. Nothing before the page has told which it is.
function recolour(state) {
  if (!scaleOf(state.data)) return
  for (const panel of state.panels) colourPanel(state.data, panel)
  paintLegend(state)
  repaint(state, false)
  state.point(...state.pointed) // which draws the marks
  countPainting(state.root)
}

// The heatmaps side by side, each under its title, above the scale.
function wholePicture(state) {
  const parts = state.heats.map((heat) => heat.base)
  const density = window.devicePixelRatio || 1
  const gap = 16 * density, head = 26 * density, foot = 24 * density
  const whole = make("canvas")
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
  drawScale(context, endsOf(state), state.data.colours, state.ink, 4 * density, whole.height - foot / 2, density)
  return whole
}

export default function attentionView({ data, parentElement, setTriggerValue }) {
  const state = stateOf(parentElement, setUpView)
  state.pick = (index) => {
    state.picked = index
    state.point(-1, -1)
    setTriggerValue("picked", { query: data.start + index, version: data.version })
  }
  state.data = data
  state.shades = ramp(data.colours)
  state.panels = data.panels.map(readPanel)
  resizeList(state.heats, data.panels.length, () => makeHeat(state), (heat) => heat.box.remove())
  fillText(state)
  const last = data.tokens.length - 1
  state.picked = data.query >= data.start && data.query - data.start <= last ? data.query - data.start : -1
  state.cell = [Math.min(state.cell[0], last), Math.min(state.cell[1], state.cell[0], last)]
  if (Math.max(...state.pointed) > last) state.pointed = [-1, -1] // else what is pointed at while this comes stays so
  state.rover.to(state.picked >= 0 ? state.picked : state.rover.at, false)
  bringPickedIntoView(state)
  recolour(state)
  if (data.locked[0] >= 0) announce(LOCKED, data.locked)
}
