// Rows stay and change their texts, so that an opened working stays open while a slider moves.
import { make } from "./dom.js"

const WORKING = [["formula", "Formula: "], ["filled", "With values: "], ["source", "Source: "]]

const put = (node, text) => { if (node.textContent !== text) node.textContent = text }

function buildRow(list, row, columns) {
  const line = row.how ? make("summary", "line", make("details", "", list)) : make("div", "line", list)
  make("span", "name", line)
  for (let index = 0; index < columns; index += 1) {
    const cell = make("span", "value", line)
    make("span", "number", cell)
    make("span", "note", cell)
  }
  if (!row.how) return
  const how = make("div", "how", line.parentElement)
  for (const [kind, label] of WORKING) {
    const text = make("p", "", how)
    make("span", "", text, label)
    make(kind === "source" ? "span" : "code", kind, text)
  }
}

function fillRow(node, row) {
  const line = row.how ? node.firstElementChild : node
  line.classList.toggle("lead", row.lead)
  put(line.querySelector(".name"), row.name)
  line.querySelectorAll(".value").forEach((cell, index) => {
    const [text, note] = row.cells[index]
    cell.classList.toggle("now", index === 0)
    put(cell.querySelector(".number"), text)
    put(cell.querySelector(".note"), note)
  })
  if (!row.how) return
  for (const [kind] of WORKING) put(node.querySelector(`.${kind}`), row.how[kind])
}

function build(root, rows, columns) {
  root.replaceChildren()
  if (columns.length > 1) {
    const head = make("div", "line head", root)
    make("span", "name", head)
    for (const [title, colour] of columns) make("span", "", make("span", "", head), title).style.borderBottomColor = colour
  }
  const list = make("div", "rows", root)
  for (const row of rows) buildRow(list, row, columns.length)
}

export default function figureTable({ data, parentElement }) {
  const { rows, columns, label } = data
  const root = parentElement.querySelector(".table")
  root.setAttribute("aria-label", label)
  root.style.setProperty("--columns", columns.length)
  root.classList.toggle("many", columns.length > 1)
  root.classList.toggle("crowded", columns.length > 2)
  const shape = JSON.stringify([columns, rows.map((row) => [row.name, Boolean(row.how)])])
  if (root.dataset.shape !== shape) build(root, rows, columns)
  root.dataset.shape = shape
  const nodes = root.querySelector(".rows").children
  rows.forEach((row, index) => fillRow(nodes[index], row))
}
