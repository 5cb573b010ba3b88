// Search by code, number, head of household or address: a combobox worked by keyboard as well.
import { fetchJson, make } from "./dom.js";

const WAIT_MS = 180;

export function startSearch(root, { url, area, text, onPick }) {
  const input = root.querySelector("input");
  const list = root.querySelector(".results");
  let found = [];
  let active = -1;
  let timer = null;
  let running = null;

  const close = () => { list.hidden = true; input.setAttribute("aria-expanded", "false"); active = -1; };
  const open = (children) => { list.replaceChildren(...children); list.hidden = false; input.setAttribute("aria-expanded", "true"); };
  const mark = (index) => {
    active = index;
    [...list.children].forEach((option, place) => option.setAttribute("aria-selected", String(place === index)));
    input.setAttribute("aria-activedescendant", index >= 0 ? `found-${index}` : "");
    list.children[index]?.scrollIntoView({ block: "nearest" });
  };
  const pick = (index) => { const one = found[index]; if (one) { close(); onPick(one); } };

  const labelOf = (one) => (text.prefers_english && one.label_en) || one.label;
  const detailOf = (one) => (one.kind === "household" ? [one.code.slice(-6), one.detail].filter(Boolean).join("  ") : text.kinds[one.kind]);

  async function ask() {
    const query = input.value.trim();
    running?.abort();
    if (!query) { close(); return; }
    running = new AbortController();
    try {
      const answer = await fetchJson(`${url}?${new URLSearchParams({ q: query, area })}`, { signal: running.signal });
      found = answer.results;
      open(found.length ? found.map(option) : [make("p", {}, text.nothing_found)]);
      mark(found.length ? 0 : -1);
    } catch (error) {
      if (error.name !== "AbortError") { found = []; open([make("p", {}, text.search_failed)]); }
    }
  }

  function option(one, index) {
    const element = make("div", { role: "option", id: `found-${index}` }, make("b", {}, labelOf(one)), make("span", {}, detailOf(one)));
    element.addEventListener("mousedown", (event) => { event.preventDefault(); pick(index); });
    return element;
  }

  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, WAIT_MS); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) { event.preventDefault(); mark((active + step + found.length) % found.length); }
    else if (event.key === "Enter") { event.preventDefault(); if (list.hidden) ask(); else pick(active); }
    else if (event.key === "Escape") { if (list.hidden) input.value = ""; close(); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest("input, textarea, select")) return;
    event.preventDefault();
    input.focus();
  });
}
