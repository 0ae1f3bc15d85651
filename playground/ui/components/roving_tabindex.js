// One tab stop for a run of buttons: arrow keys, Home and End walk them, Escape hides their card. ``buttons`` gives those
// that are there now; ``steps`` says which keys lead how far. New buttons have the tabIndex -1.
function makeWalk(container, buttons, steps, card) {
  const walk = { at: 0 }
  walk.to = (index, focus) => {
    const all = buttons()
    if (all[walk.at]) all[walk.at].tabIndex = -1
    walk.at = Math.max(0, Math.min(index, all.length - 1))
    if (!all[walk.at]) return
    all[walk.at].tabIndex = 0
    if (focus) all[walk.at].focus()
  }
  container.onkeydown = (event) => {
    let target = null
    if (event.key in steps) target = walk.at + steps[event.key]
    else if (event.key === "Home") target = 0
    else if (event.key === "End") target = buttons().length - 1
    else if (event.key === "Escape" && card) card.hidden = true
    if (target === null) return
    event.preventDefault()
    event.stopPropagation()
    walk.to(target, true)
  }
  return walk
}
