// Texts in view: how many were judged, and those whose contrast with the ground below them is less than 4.5, as "ratio text". Marks of pictures that lie
// under a text are no ground of CSS: a text of SVG is judged on the page's ground, and left out where it is black or white.
() => {
  const channels = (text) => {
    const parts = text.match(/[\d.]+/g).map(Number)
    const whole = text.startsWith("color(") ? parts.slice(0, 3).map((part) => 255 * part) : parts.slice(0, 3)
    return [...whole, parts.length > 3 ? parts[3] : 1]
  }
  const above = (node) => node.assignedSlot || node.parentElement || node.getRootNode().host || null
  const over = (top, below) => [0, 1, 2].map((at) => top[at] * top[3] + below[at] * (1 - top[3]))
  const luminance = (colour) => {
    const linear = colour.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
  }
  // Of what lies below it: a number that is placed beside its thumb has not the thumb's ground.
  const ground = (node) => {
    const { left, right, top, bottom } = node.getBoundingClientRect()
    const [x, y] = [(left + right) / 2, (top + bottom) / 2]
    const layers = []
    for (let each = node; each; each = above(each)) {
      const style = getComputedStyle(each)
      const box = each.getBoundingClientRect()
      const outside = x < box.left || x > box.right || y < box.top || y > box.bottom
      if (outside && box.width < 40 && box.height < 40) continue
      if (style.backgroundImage !== "none") return null
      layers.push(channels(style.backgroundColor))
      if (layers.at(-1)[3] === 1) break
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255])
  }
  const hidden = (node) => {
    for (let each = node; each; each = above(each)) {
      const box = each.getBoundingClientRect()
      const style = getComputedStyle(each)
      if (style.display === "contents") continue
      if (box.width <= 2 || box.height <= 2 || style.clipPath.startsWith("inset") || each.matches("[disabled], [aria-hidden=true]")) return true
      if (each.tagName === "MAIN") return false
    }
    return false
  }
  const poor = []
  let judged = 0
  const walk = (node) => {
    for (const child of node.childNodes) {
      if (child.nodeType === Node.ELEMENT_NODE) {
        if (child.shadowRoot) walk(child.shadowRoot)
        if (!["STYLE", "SCRIPT", "TITLE", "DESC"].includes(child.tagName.toUpperCase())) walk(child)
        continue
      }
      const text = child.nodeValue?.trim()
      const element = child.parentElement || child.parentNode.host
      if (child.nodeType !== Node.TEXT_NODE || !text || hidden(element)) continue
      const style = getComputedStyle(element)
      const svg = element.namespaceURI.endsWith("svg")
      const ink = channels(svg ? style.fill : style.color)
      const plain = ink.slice(0, 3).every((part) => part === ink[0]) && [0, 255].includes(ink[0])
      const below = ground(element)
      if (!below || (svg && plain)) continue
      for (let each = element; each; each = above(each)) ink[3] *= Number(getComputedStyle(each).opacity)
      if (ink[3] === 0) continue // there and not shown
      const [dark, light] = [luminance(over(ink, below)), luminance(below)].sort((one, other) => one - other)
      const ratio = (light + 0.05) / (dark + 0.05)
      judged += 1
      if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${text.slice(0, 60)}`)
    }
  }
  walk(document.querySelector("[data-testid=stMain]"))
  return { judged, poor }
}
