// The standalone file: the page's own pictures on weights that travel compressed inside it.
import { bytesOf, triangle, widened } from "./attention_core.js"
import attentionMap from "./attention_map.js"
import attentionView from "./attention_view.js"

const inflate = (text) => new Response(new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer()

async function openFile() {
  const file = JSON.parse(document.getElementById("data").textContent)
  const bytes = new Uint8Array(await inflate(file.weights))
  const cells = triangle(file.view.tokens.length)
  const show = (index) => {
    const words = widened(bytes.subarray(file.tiles + index * cells, file.tiles + (index + 1) * cells))
    attentionView({
      data: { ...file.view, coarse: true, panels: [{ ...file.panels[index], note: file.note, words }], locked: file.panels[index].place },
      parentElement: document.getElementById("view"),
      setTriggerValue: () => {},
    })
  }
  const indexOf = (place) => file.panels.findIndex((panel) => panel.place[0] === place.layer && panel.place[1] === place.head)
  attentionMap({
    data: { ...file.map, bytes: bytes.subarray(0, file.tiles) },
    parentElement: document.getElementById("map"),
    setTriggerValue: (_name, place) => show(indexOf(place)),
  })
  show(file.first)
}

openFile()
