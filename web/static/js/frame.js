// Scale, zoom, whole area, my place, full screen, and the overview with its frame.
import { make, makeSvg, say } from "./dom.js";

export function startTools(map, root, { home, text, toast }) {
  const acts = {
    in: () => map.zoomIn(),
    out: () => map.zoomOut(),
    home: () => map.fitBounds(home),
    locate: () => map.locate({ setView: false, enableHighAccuracy: true, timeout: 10_000 }),
    full: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()),
  };
  for (const button of root.querySelectorAll("button[data-act]")) button.addEventListener("click", () => acts[button.dataset.act]());
  const here = L.layerGroup().addTo(map);
  map.on("locationfound", ({ latlng, accuracy }) => {
    here.clearLayers();
    if (!L.latLngBounds(home).pad(0.5).contains(latlng)) { toast(text.not_in_village); return; }
    here.addLayer(L.circle(latlng, { radius: accuracy, pane: "cases", color: "#0B5563", weight: 1, fillOpacity: 0.12, interactive: false }));
    here.addLayer(L.circleMarker(latlng, { radius: 7, pane: "cases", color: "#fff", weight: 3, fillColor: "#0B5563", fillOpacity: 1, interactive: false }));
    map.setView(latlng, Math.max(map.getZoom(), 17));
  });
  map.on("locationerror", () => toast(text.no_location));
}

export function startScale(map, root, { metre, kilometre }) {
  const Scale = L.Control.Scale.extend({
    _updateMetric(maxMeters) {
      const metres = this._getRoundNum(maxMeters);
      this._updateScale(this._mScale, metres < 1000 ? `${metres} ${metre}` : `${metres / 1000} ${kilometre}`, metres / maxMeters);
    },
  });
  root.append(new Scale({ imperial: false, maxWidth: 110 }).addTo(map).getContainer());
}

// The whole area small, with a frame where one is, and how many households lie outside the frame.
export function startOverview(map, root, { layers, bounds, households, text }) {
  const svg = root.querySelector("svg");
  const project = (latlng) => L.CRS.EPSG3857.latLngToPoint(L.latLng(latlng), 14);
  const box = L.bounds(project(bounds[0]), project(bounds[1]));
  const size = box.getSize();
  svg.setAttribute("viewBox", `${box.min.x} ${box.min.y} ${size.x} ${size.y}`);
  const unit = Math.max(size.x, size.y) / 130;
  layers.eachLayer((layer) => {
    const rings = [];
    const walk = (latlngs) => (latlngs[0] instanceof L.LatLng ? rings.push(latlngs) : latlngs.forEach(walk));
    walk(layer.getLatLngs());
    const d = rings.map((ring) => `M${ring.map((at) => { const p = project(at); return `${p.x.toFixed(1)} ${p.y.toFixed(1)}`; }).join("L")}Z`).join("");
    svg.append(makeSvg("path", { d, fill: layer.options.fillColor, "fill-opacity": 0.3, stroke: "#17252D", "stroke-width": 0.8 * unit, "fill-rule": "evenodd" }));
  });
  const frame = makeSvg("rect", { fill: "none", stroke: "#0B5563", "stroke-width": 2.2 * unit });
  svg.append(frame);
  const note = make("span");
  root.querySelector("p").append(note);
  const draw = () => {
    const view = map.getBounds();
    const a = project(view.getNorthWest());
    const b = project(view.getSouthEast());
    for (const [name, value] of Object.entries({ x: a.x, y: a.y, width: b.x - a.x, height: b.y - a.y })) frame.setAttribute(name, value);
    const outside = households.reduce((sum, { at, weight }) => sum + (view.contains(at) ? 0 : weight), 0);
    note.textContent = outside ? say(text.outside_view, { n: outside }) : text.all_in_view;
  };
  map.on("moveend resize", draw);
  draw();
  root.querySelector("button").addEventListener("click", (event) => {
    const area = svg.getBoundingClientRect();
    if (event.detail === 0) { map.fitBounds(bounds); return; } // by keyboard: the whole area
    const at = svg.createSVGPoint();
    at.x = event.clientX;
    at.y = event.clientY;
    const p = area.width ? at.matrixTransform(svg.getScreenCTM().inverse()) : box.getCenter();
    map.panTo(L.CRS.EPSG3857.pointToLatLng(L.point(p.x, p.y), 14));
  });
}
