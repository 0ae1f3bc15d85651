// A button that asks the picture called `data.picture` to save itself.
import { announce } from "./event_bus.js"
import { SAVE } from "./picture.js"

export default function savePicture({ data, parentElement }) {
  const button = parentElement.querySelector(".save")
  button.textContent = data.label
  button.onclick = () => announce(SAVE, data.picture)
}
