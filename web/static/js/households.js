// Households: shapes on one canvas when near, rings with counts when far.
import { make } from "./dom.js";
import { drawHousehold, ringSvg } from "./symbols.js";

const PICK_PX = matchMedia("(pointer: coarse)").matches ? 22 : 9;

const HouseholdMarker = L.CircleMarker.extend({
  // Leaflet asks for the pixel box here on every zoom: the size belongs to the zoom, not to the marker.
  _project() {
    this._point = this._map.latLngToLayerPoint(this._latlng);
    this._radius = this.options.layer.sizeOf(this) / 2;
    this._updateBounds();
  },
  _updatePath() {
    if (!this._renderer._drawing || this._empty()) return;
    const { symbol, layer } = this.options;
    drawHousehold(this._renderer._ctx, this._point, symbol, 2 * this._radius, layer.letterOf(this));
  },
});

export class HouseholdLayer {
  constructor(map, rows, { symbols, letters, nameAloneBelow, clusteredUpTo, lettersFrom }) {
    this.nameAloneBelow = nameAloneBelow;
    this.map = map;
    this.letters = letters;
    this.clusteredUpTo = clusteredUpTo;
    this.lettersFrom = lettersFrom;
    this.selected = null;
    this.hidden = new Set();
    this.symbols = symbols;
    const byTier = Object.fromEntries(symbols.map((symbol) => [symbol.tier, symbol]));
    const rank = Object.fromEntries(symbols.map((symbol, place) => [symbol.tier, place]));
    const renderer = L.canvas({ pane: "households", padding: 0.3 });
    this.markers = rows.map(([lon, lat, tier, weight, code, grid]) => new HouseholdMarker([lat, lon], {
      renderer, interactive: false, pane: "households", layer: this, symbol: byTier[tier], tier, weight, code, grid,
    }));
    this.markers.sort((a, b) => rank[b.options.tier] - rank[a.options.tier]); // red last, so on top
    this.near = L.layerGroup();
    this.far = null;
    map.on("zoomend", () => this.refresh(false));
    this.refresh(true);
  }

  step() {
    const zoom = this.map.getZoom();
    return zoom < this.lettersFrom ? 0 : zoom < this.lettersFrom + 1 ? 1 : 2;
  }

  sizeOf(marker) {
    const { symbol, grid } = marker.options;
    const step = this.step();
    return symbol.sizes[step === 0 && grid && grid === this.selected ? 3 : step];
  }

  letterOf(marker) {
    const { tier, grid } = marker.options;
    const inSelected = grid && grid === this.selected && tier !== "green";
    return this.step() > 0 || inSelected ? this.letters[tier] : "";
  }

  isShown(marker) {
    return !this.hidden.has(marker.options.tier);
  }

  setHidden(hidden) {
    this.hidden = hidden;
    this.refresh(true);
  }

  select(grid) {
    this.selected = grid;
    if (this.map.hasLayer(this.near)) for (const marker of this.near.getLayers()) { marker._project(); marker.redraw(); }
  }

  refresh(changed) {
    const zoom = this.map.getZoom();
    const isNear = zoom > this.clusteredUpTo;
    const isFar = !isNear && zoom >= this.nameAloneBelow;
    if (changed) {
      this.near.clearLayers();
      for (const marker of this.markers) if (this.isShown(marker)) this.near.addLayer(marker);
      this.far?.remove();
      this.far = null;
    }
    if (isFar && !this.far) this.far = this.makeClusters();
    for (const [layer, wanted] of [[this.near, isNear], [this.far, isFar]]) {
      if (!layer || this.map.hasLayer(layer) === wanted) continue;
      if (wanted) this.map.addLayer(layer); else this.map.removeLayer(layer);
    }
  }

  makeClusters() {
    const clusters = L.markerClusterGroup({
      showCoverageOnHover: false, animate: false, maxClusterRadius: 56, spiderfyOnMaxZoom: false, clusterPane: "households",
      iconCreateFunction: (cluster) => this.ringIcon(cluster.getAllChildMarkers()),
    });
    const shown = this.markers.filter((marker) => this.isShown(marker));
    clusters.addLayers(shown.map((marker) => {
      const single = L.marker(marker.getLatLng(), { pane: "households", keyboard: false, household: marker.options });
      single.setIcon(this.ringIcon([single]));
      return single;
    }));
    return clusters;
  }

  ringIcon(children) {
    const shares = this.symbols.map(({ tier, colour }) => ({ tier, colour, count: 0 }));
    for (const { options: { household } } of children) {
      shares.find((share) => share.tier === household.tier).count += household.weight;
    }
    const total = shares.reduce((sum, share) => sum + share.count, 0);
    const size = total < 10 ? 28 : total < 100 ? 36 : 44;
    const ring = make("div", { class: "ring" }, ringSvg(shares), make("b", {}, String(total)));
    return L.divIcon({ html: ring, className: "", iconSize: [size, size] });
  }

  // The household under a finger or pointer, the most urgent one first among equals; null when none is near.
  pick(point) {
    if (!this.map.hasLayer(this.near)) return null;
    let best = null;
    for (const marker of this.near.getLayers()) {
      const distance = this.map.latLngToContainerPoint(marker.getLatLng()).distanceTo(point) - marker._radius;
      if (distance < PICK_PX && (best === null || distance <= best.distance)) best = { marker, distance };
    }
    return best && best.marker;
  }

  find(code) {
    return this.markers.find((marker) => marker.options.code === code);
  }
}
