// What a reader has chosen for the pictures of this page, by the name of the choice. It lives in the browser: a choice
// tells it to all pictures at once, and none of them waits for the server.
const CHOSEN = "playground-chosen"

const chosenOf = (name) => (window.playgroundChosen || {})[name]

function tellChosen(name, value) {
  window.playgroundChosen = { ...window.playgroundChosen, [name]: value }
  window.dispatchEvent(new CustomEvent(CHOSEN, { detail: name }))
}

// Call `repaint` at each new choice of `name`, for as long as `root` is on the page.
function followChosen(root, name, repaint) {
  const hear = (event) => {
    if (!root.isConnected) window.removeEventListener(CHOSEN, hear)
    else if (event.detail === name) repaint()
  }
  window.addEventListener(CHOSEN, hear)
}
