// The map of a plan file: one page that needs no server. A classic script, because a file:// page may not load modules.
function start(map, layers, page) {
  map.fitBounds(page.home, { padding: [16, 16], animate: false });
  const renderer = L.canvas({ pane: "households", padding: 0.3 });
  for (const [lon, lat] of page.households) {
    L.circleMarker([lat, lon], {
      renderer, pane: "households", radius: 2.6, weight: 1, color: "#fff", fillColor: "#17252D", fillOpacity: 1, interactive: false,
    }).addTo(map);
  }
  for (const { at, title, count, isBreaker } of page.labels) {
    const pill = document.createElement("div");
    pill.className = isBreaker ? "pill breaker-pill" : "pill";
    const code = document.createElement("b");
    code.textContent = isBreaker ? `${title} !` : title;
    pill.append(code, count);
    L.marker([at[1], at[0]], { pane: "labels", keyboard: false, interactive: false, icon: L.divIcon({ html: pill, className: "", iconSize: [0, 0] }) }).addTo(map);
  }
  L.control.zoom({ position: "topright" }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  map.removeLayer(layers.groups[0]);
  document.querySelector("#groups").addEventListener("change", (event) => {
    if (event.target.checked) map.addLayer(layers.groups[0]); else map.removeLayer(layers.groups[0]);
  });
  document.documentElement.dataset.map = "ready";
}
