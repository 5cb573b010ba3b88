// Cases as pins: one per place with the most urgent state, kept apart so that each can be hit.
import { make, say } from "./dom.js";
import { caseSvg } from "./symbols.js";

const PIN_PX = 26;
const APART = 1.15 * PIN_PX;

export class CaseLayer {
  constructor(map, rows, { symbols, text, clusteredUpTo, onPick }) {
    this.clusteredUpTo = clusteredUpTo;
    this.map = map;
    this.symbols = symbols;
    this.text = text;
    this.onPick = onPick;
    this.rows = rows.map(([lon, lat, state, number, title]) => ({ at: L.latLng(lat, lon), state, number, title }));
    this.shown = new Set(symbols.filter((symbol) => symbol.is_shown).map((symbol) => symbol.state));
    this.group = L.layerGroup().addTo(map);
    map.on("zoomend", () => this.draw());
    this.draw();
  }

  setShown(shown) {
    this.shown = shown;
    this.draw();
  }

  // Rows of one pin each, the most urgent row first and the most urgent pin last, so on top. Far out, pins that would
  // cover each other are one: pushed apart they would stand in other grids.
  places() {
    const rank = Object.fromEntries(this.symbols.map((symbol, place) => [symbol.state, place]));
    const shown = this.rows.filter((row) => this.shown.has(row.state)).sort((a, b) => rank[a.state] - rank[b.state]);
    const reach = this.map.getZoom() <= this.clusteredUpTo ? APART : 0.5;
    const pins = [];
    for (const row of shown) {
      const at = this.map.latLngToLayerPoint(row.at);
      const near = pins.find((pin) => pin.at.distanceTo(at) <= reach);
      if (near) near.rows.push(row);
      else pins.push({ at, rows: [row] });
    }
    return pins.reverse().map((pin) => pin.rows);
  }

  draw() {
    const focused = document.activeElement?.dataset?.case;
    this.group.clearLayers();
    const places = this.places();
    const at = spread(places.map((rows) => this.map.latLngToLayerPoint(rows[0].at)));
    places.forEach((rows, place) => this.group.addLayer(this.pin(rows, this.map.layerPointToLatLng(at[place]))));
    if (focused) this.group.eachLayer((pin) => { if (pin.options.number === focused) pin.getElement()?.focus(); });
  }

  pin(rows, at) {
    const symbol = this.symbols.find(({ state }) => state === rows[0].state);
    const face = make("div", {}, caseSvg(symbol), rows.length > 1 ? make("span", { class: "count" }, String(rows.length)) : null);
    const name = rows.length > 1 ? say(this.text.cases_here, { n: rows.length }) : rows[0].title;
    const pin = L.marker(at, {
      pane: "cases", number: rows[0].number, keyboard: true,
      icon: L.divIcon({ html: face, className: "case-pin", iconSize: [PIN_PX, 27], iconAnchor: [13, 26] }),
    });
    pin.on("add", () => {
      const element = pin.getElement();
      element.dataset.case = rows[0].number;
      element.dataset.state = rows[0].state;
      element.setAttribute("aria-label", `${this.text.states[rows[0].state]}: ${name}`);
    });
    pin.on("click keypress", (event) => {
      if (event.type === "keypress" && event.originalEvent.key !== "Enter") return;
      this.onPick(rows, at);
    });
    return pin;
  }
}

// Push points apart until no two are nearer than a pin and a bit; they stay near their place.
function spread(points) {
  const moved = points.map((point) => point.clone());
  for (let round = 0; round < 30; round += 1) {
    let touched = false;
    for (let i = 0; i < moved.length; i += 1) {
      for (let j = i + 1; j < moved.length; j += 1) {
        const gap = moved[j].subtract(moved[i]);
        const distance = Math.hypot(gap.x, gap.y);
        if (distance >= APART) continue;
        const push = (APART - distance) / 2 + 0.1;
        const way = distance > 0.01 ? gap.divideBy(distance) : L.point(1, 0);
        moved[i] = moved[i].subtract(way.multiplyBy(push));
        moved[j] = moved[j].add(way.multiplyBy(push));
        touched = true;
      }
    }
    if (!touched) break;
  }
  return moved;
}
