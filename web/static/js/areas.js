// Grids of a village, or villages of a town: fills that answer the pointer, the selected one, the rule-breakers.

const NORMAL = { weight: 0, fillOpacity: 0.2 };
const HOVER = { weight: 0, fillOpacity: 0.34 };

export class AreaLayer {
  constructor(map, fills, { borders, hatch, onPick }) {
    this.map = map;
    this.fills = fills;
    this.extras = [borders, hatch].filter(Boolean);
    this.byCode = new Map();
    this.selected = null;
    this.selection = L.layerGroup().addTo(map);
    this.renderer = L.svg({ pane: "selection", padding: 0.5 }).addTo(map);
    fills.eachLayer((layer) => {
      this.byCode.set(layer.feature.properties.code, layer);
      layer.on("mouseover", () => layer.setStyle(HOVER));
      layer.on("mouseout", () => layer.setStyle(NORMAL));
      layer.on("click", (event) => { L.DomEvent.stopPropagation(event); onPick(layer.feature.properties.code, event); });
    });
    this.renderer.on("update", () => requestAnimationFrame(() => this.clipBand()));
  }

  get(code) {
    return this.byCode.get(code);
  }

  setShown(isShown) {
    for (const layer of [this.fills, ...this.extras]) if (isShown) this.map.addLayer(layer); else this.map.removeLayer(layer);
  }

  // Outline by weight and an inner band: it must be seen without its colour.
  select(code) {
    this.selected = code;
    this.selection.clearLayers();
    const layer = this.byCode.get(code);
    if (!layer) return;
    const style = { pane: "selection", renderer: this.renderer, interactive: false, fill: false };
    this.band = L.polygon(layer.getLatLngs(), { ...style, color: "#0B5563", weight: 22, opacity: 0.24 });
    this.selection.addLayer(this.band);
    this.selection.addLayer(L.polygon(layer.getLatLngs(), { ...style, color: "#fff", weight: 7 }));
    this.selection.addLayer(L.polygon(layer.getLatLngs(), { ...style, color: "#0B5563", weight: 4 }));
    this.clipBand();
  }

  // The band lies inside only: its own outline is its clip.
  clipBand() {
    const path = this.selection.hasLayer(this.band ?? {}) ? this.band.getElement() : null;
    const clip = document.querySelector("#selection-clip path");
    if (!path || !clip) return;
    clip.setAttribute("d", path.getAttribute("d"));
    path.setAttribute("clip-path", "url(#selection-clip)");
    path.ownerSVGElement.prepend(clip.closest("defs"));
  }
}
