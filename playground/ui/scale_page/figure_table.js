// Rows stay and change their texts, so that an opened working stays open while a slider moves.
const make = (tag, kind, parent) => {
  const node = document.createElement(tag)
  if (kind) node.className = kind
  parent.append(node)
  return node
}
const put = (node, text) => { if (node.textContent !== text) node.textContent = text }

function build(list, row, columns) {
  const line = row.how ? make("summary", "line", make("details", "", list)) : make("div", "line", list)
  make("span", "name", line)
  for (let index = 0; index < columns; index += 1) {
    const cell = make("span", "value", line)
    make("span", "number", cell)
    make("span", "note", cell)
  }
  if (!row.how) return
  const how = make("div", "how", line.parentElement)
  for (const kind of ["formula", "filled", "source"]) {
    const text = make("p", "", how)
    make("span", "", text)
    make(kind === "source" ? "span" : "code", kind, text)
  }
}

function fill(node, row) {
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
  for (const [kind, label] of [["formula", "Formula: "], ["filled", "With values: "], ["source", "Source: "]]) {
    const text = node.querySelector("." + kind)
    put(text.previousElementSibling, label)
    put(text, row.how[kind])
  }
}

export default function (component) {
  const { rows, columns, label } = component.data
  const root = component.parentElement.querySelector(".table")
  root.setAttribute("aria-label", label)
  root.style.setProperty("--columns", columns.length)
  root.classList.toggle("many", columns.length > 1)
  root.classList.toggle("crowded", columns.length > 2)
  const shape = JSON.stringify([columns, rows.map((row) => [row.name, Boolean(row.how)])])
  if (root.dataset.shape !== shape) {
    root.dataset.shape = shape
    root.replaceChildren()
    if (columns.length > 1) {
      const head = make("div", "line head", root)
      make("span", "name", head)
      for (const [title, colour] of columns) {
        const name = make("span", "", make("span", "", head))
        put(name, title)
        name.style.borderBottomColor = colour
      }
    }
    const list = make("div", "rows", root)
    for (const row of rows) build(list, row, columns.length)
  }
  root.querySelector(".rows") && [...root.querySelector(".rows").children].forEach((node, index) => fill(node, rows[index]))
}
