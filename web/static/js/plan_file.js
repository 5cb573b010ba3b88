// The map of a plan file: one page that needs no server. A page from a disk may not load modules, so this one and those it
// uses stand in the page itself.
import { LabelLayer } from "./labels.js";

const BIGGEST_DOT = 2.6;
const SMALLEST_DOT = 0.8;
const DOT_SHARE = 0.3;

export function start(map, layers, page) {
  const whole = L.latLngBounds(page.home);
  map.fitBounds(whole, { padding: [16, 16], animate: false });
  const renderer = L.canvas({ pane: "households", padding: 0.3 });
  const households = L.layerGroup(page.households.map(([lon, lat]) => L.circleMarker([lat, lon], {
    ...dotFor(map, page.metres_apart), renderer, pane: "households", color: "#fff", fillColor: "#17252D", fillOpacity: 1, interactive: false,
  }))).addTo(map);
  map.on("zoomend", () => households.invoke("setStyle", dotFor(map, page.metres_apart)));

  L.control.zoom({ position: "topright" }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  const shapes = layers.areas.getLayers();
  const labels = new LabelLayer(map, {
    boxes: () => controlBoxes(map), symbolsAt: () => symbolsInView(map, households), shortens: true,
    onPick: (code) => map.fitBounds(shapes[page.labels.findIndex((label) => label.code === code)].getBounds(), { padding: [24, 24], maxZoom: 18, animate: false }),
  });
  labels.setAreas(page.labels.map((label, at) => ({ ...label, layer: shapes[at] })));

  const shown = { ...layers, households: [households] };
  for (const box of document.querySelectorAll("input[name=layer]")) {
    const apply = () => {
      if (box.value === "labels") { labels.setShown(box.checked); return; }
      for (const layer of shown[box.value]) if (box.checked) map.addLayer(layer); else map.removeLayer(layer);
      if (box.value === "households") labels.draw();
    };
    box.addEventListener("change", apply);
  }
  document.documentElement.dataset.map = "ready";
}

// Where houses stand close, dots are small until one zooms in, or there would be dots alone and no border.
function dotFor(map, metresApart) {
  const [here, aside] = [[0, 0], [100, 0]].map((at) => map.containerPointToLatLng(at));
  const radius = Math.min(BIGGEST_DOT, Math.max(SMALLEST_DOT, (DOT_SHARE * metresApart * 100) / map.distance(here, aside)));
  return { radius, stroke: radius > 1.5, weight: radius / BIGGEST_DOT };
}

function symbolsInView(map, households) {
  if (!map.hasLayer(households)) return [];
  const bounds = map.getBounds();
  return households.getLayers().filter((dot) => bounds.contains(dot.getLatLng())).map((dot) => {
    const { x, y } = map.latLngToContainerPoint(dot.getLatLng());
    return { x, y, cost: 1 };
  });
}

// Where the buttons and the scale stand over the map.
function controlBoxes(map) {
  const frame = map.getContainer().getBoundingClientRect();
  return [...map.getContainer().querySelectorAll(".leaflet-control")].map((control) => {
    const { left, right, top, bottom } = control.getBoundingClientRect();
    return { left: left - frame.left - 4, right: right - frame.left + 4, top: top - frame.top - 4, bottom: bottom - frame.top + 4 };
  });
}
