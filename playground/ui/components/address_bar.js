// The address bar shows the link of what is on screen; the history stays as it is.
export default function addressBar({ data }) {
  const query = `?${data.query}`
  if (window.location.search !== query) {
    window.history.replaceState(window.history.state, "", window.location.pathname + query)
  }
}
