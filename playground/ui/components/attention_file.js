// The standalone file: the page's own pictures on weights that travel compressed inside it.
const inflate = (text) => new Response(new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer()
async function open() {
  const file = JSON.parse(document.getElementById("data").textContent)
  const bytes = new Uint8Array(await inflate(file.weights))
  const cells = (file.view.tokens.length * (file.view.tokens.length + 1)) / 2
  const show = (index) => {
    const codes = bytes.subarray(file.tiles + index * cells, file.tiles + (index + 1) * cells)
    const words = Uint16Array.from(codes, (code) => (code === BLANK_BYTE ? BLANK_WORD : Math.round((code / TOP_BYTE) * TOP_WORD)))
    attentionView({
      data: { ...file.view, coarse: true, panels: [{ ...file.panels[index], note: file.note, words }], locked: file.panels[index].place },
      parentElement: document.getElementById("view"), setTriggerValue: () => {},
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
open()
