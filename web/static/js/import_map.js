// The map of a file that is looked at: its points, and the places of rows that the table names.

export function start(map, _layers, page) {
  map.fitBounds(page.home, { animate: false });
  const renderer = L.canvas({ pane: "households", padding: 0.3 });
  for (const [lon, lat, , isFaulty] of page.points) {
    L.circleMarker([lat, lon], {
      renderer, pane: "households", interactive: false, radius: isFaulty ? 5 : 2.6, weight: isFaulty ? 2 : 0.6,
      color: isFaulty ? "#16222A" : "#fff", fillColor: isFaulty ? "#fff" : "#0B5563", fillOpacity: 1,
    }).addTo(map);
  }
  L.control.zoom({ position: "topright" }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  const ring = L.circleMarker(page.home[0], {
    radius: 14, weight: 4, color: "#16222A", fill: false, interactive: false, pane: "selection", renderer: L.svg({ pane: "selection" }),
  });
  for (const button of document.querySelectorAll("button.place")) {
    button.addEventListener("click", () => {
      const at = [Number(button.dataset.lat), Number(button.dataset.lon)];
      ring.setLatLng(at).addTo(map);
      map.setView(at, Math.max(map.getZoom(), 17), { animate: false });
      map.getContainer().scrollIntoView({ block: "nearest" });
    });
  }
  document.documentElement.dataset.map = "ready";
}
