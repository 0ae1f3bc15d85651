// The counts at every place of the dials in view, which come after the picture: removed_bars.js draws a dial's move with them.
import { publishChoice } from "./event_bus.js"

export default function dialSweeps({ data }) {
  publishChoice("dial-sweeps", data.sweeps)
}
