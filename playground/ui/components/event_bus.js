// What a reader has chosen for the pictures of this page, by the name of the choice. It lives in the browser: a choice
// reaches all pictures at once, and none of them waits for the server.
const CHOSEN = "playground-chosen"

// Call `hear` with the detail of each event called `name`, for as long as `root` is on the page.
export function listenWhileShown(root, name, hear) {
  const listener = (event) => {
    if (root.isConnected) hear(event.detail)
    else window.removeEventListener(name, listener)
  }
  window.addEventListener(name, listener)
}

export function announce(name, detail) {
  window.dispatchEvent(new CustomEvent(name, { detail }))
}

export const choiceOf = (name) => (window.playgroundChosen || {})[name]

export function publishChoice(name, value) {
  window.playgroundChosen = { ...window.playgroundChosen, [name]: value }
  announce(CHOSEN, name)
}

// Call `repaint` at each new choice of `name`, for as long as `root` is on the page.
export function followChoice(root, name, repaint) {
  listenWhileShown(root, CHOSEN, (chosen) => { if (chosen === name) repaint() })
}
