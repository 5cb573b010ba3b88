// Long work on a file: while the server does it, the page says what it does and offers to give it up.
import { fetchJson, postJson } from "./dom.js";

const ASK_EVERY_MS = 500;

export function startWork({ progress, stages, begun, failed }) {
  const busy = document.querySelector(".busy");
  const said = busy.querySelector("[role=status]");
  const stop = busy.querySelector("button");
  stop.addEventListener("click", () => { stop.disabled = true; postJson(`${progress}/cancel`, {}).catch(() => { stop.disabled = false; }); });

  for (const form of document.querySelectorAll("form.work")) {
    form.addEventListener("submit", (event) => { event.preventDefault(); send(form); });
  }
  const first = document.querySelector("form[data-at-once]");
  if (first) send(first);

  async function send(form) {
    setBusy(true);
    const asking = setInterval(ask, ASK_EVERY_MS);
    try {
      const next = await fetchJson(location.pathname, { method: "POST", body: new FormData(form) });
      location.assign(next.location);
    } catch {
      setBusy(false);
      busy.hidden = false;
      busy.querySelector("progress").hidden = true;
      stop.hidden = true;
      said.textContent = failed;
    } finally {
      clearInterval(asking);
    }
  }

  async function ask() {
    try {
      const { stage } = await fetchJson(progress);
      said.textContent = stages[stage] ?? begun;
    } catch { /* the next time tells */ }
  }

  function setBusy(isBusy) {
    busy.hidden = !isBusy;
    said.textContent = begun;
    for (const button of document.querySelectorAll("form button[type=submit]")) button.disabled = isBusy;
  }
}
