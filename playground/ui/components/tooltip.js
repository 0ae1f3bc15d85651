// A card of details beside whatever has the pointer or the focus. Everything in it is text: textContent only.
function makeCard(root) {
  const card = document.createElement("div")
  card.className = "card"
  card.hidden = true
  card.setAttribute("role", "tooltip")
  root.appendChild(card)
  return card
}

function cell(text, tag) {
  const element = document.createElement(tag)
  element.textContent = text
  return element
}

function fillCard(card, token) {
  card.replaceChildren()
  for (const line of token.lines || []) card.appendChild(cell(line, "p"))
  if (!token.table || !token.table.length) return
  const table = document.createElement("table")
  token.table.forEach((row, index) => {
    const line = document.createElement("tr")
    row.forEach((value) => line.appendChild(cell(value, index === 0 ? "th" : "td")))
    table.appendChild(line)
  })
  card.appendChild(table)
}

function placeCard(card, button, root) {
  card.hidden = false
  const box = root.getBoundingClientRect()
  const at = button.getBoundingClientRect()
  const left = Math.max(0, Math.min(at.left - box.left, box.width - card.offsetWidth))
  card.style.left = `${left}px`
  card.style.top = `${at.bottom - box.top + 4}px`
}

