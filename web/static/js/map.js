// Joins the layers that folium wrote into the page with the panel around them.
import { AreaLayer } from "./areas.js";
import { Cards } from "./cards.js";
import { CaseLayer } from "./cases.js";
import { startOverview, startScale, startTools } from "./frame.js";
import { HouseholdLayer } from "./households.js";
import { LabelLayer } from "./labels.js";
import { startChips, startGridList, startLegend, startSheet } from "./panel.js";
import { startSearch } from "./search.js";
import { say } from "./dom.js";
import { caseSvg, householdSvg } from "./symbols.js";

export function start(map, layers, page) {
  const { text } = page;
  const box = document.querySelector(".map-box");
  const toast = toaster(box.querySelector(".toast"));
  const sheet = startSheet(document.querySelector(".panel"));
  map.fitBounds(page.start, { animate: false });

  drawLegend(page);
  const households = new HouseholdLayer(map, page.households, {
    symbols: page.tiers, letters: text.letters, nameAloneBelow: page.name_alone_below, clusteredUpTo: page.clustered_up_to, lettersFrom: page.letters_from,
  });
  const hasGrids = page.kind === "village" || page.kind === "grid";
  const cards = new Cards(map, box.querySelector(".grid-card"), {
    urls: page.urls, text, tiers: page.tiers, caseSymbols: page.case_symbols, letters: text.letters,
    onClose: () => select(null), onShowGrid: (code) => fitBesideCard(map, areas.get(code).getBounds()),
  });
  const areas = new AreaLayer(map, layers.areas, { borders: layers.borders, hatch: layers.hatch, onPick: (code, event) => {
    const near = households.pick(event.containerPoint);
    if (near) cards.openHousehold(near.options.code, near.getLatLng());
    else openArea(code);
  } });
  const cases = new CaseLayer(map, page.cases, { symbols: page.case_symbols, text, clusteredUpTo: page.clustered_up_to, onPick: (rows, at) => cards.openCases(rows, at) });
  const labels = new LabelLayer(map, {
    boxes: () => floatingBoxes(box), onPick: (code) => (areas.get(code) ? openArea(code) : map.fitBounds(page.start)), peopleFrom: page.people_from,
    whole: hasGrids ? page.whole : null, nameAloneBelow: page.name_alone_below, clusteredUpTo: page.clustered_up_to,
    symbolsAt: () => symbolsInView(map, households, cases),
  });
  labels.setAreas(page.labels.map((label) => ({ ...label, layer: areas.get(label.code) })));
  const markInList = startGridList(document, (code) => { sheet.close(); openArea(code, { takesFocus: true, moves: true }); });

  function select(code) {
    areas.select(code);
    labels.select(code);
    households.select(code);
    markInList(code);
    history.replaceState(null, "", code ? `#${code}` : location.pathname + location.search);
  }

  function openArea(code, { takesFocus = false, moves = false } = {}) {
    if (!hasGrids) { location.assign(page.urls.map + encodeURIComponent(code)); return; }
    if (moves || map.getSize().x <= 760) fitBesideCard(map, areas.get(code).getBounds());
    map.closePopup();
    cards.openGrid(code, { takesFocus });
    select(code);
  }

  startLegend(document, { onTiers: (hidden) => households.setHidden(hidden), onCases: (shown) => cases.setShown(shown) });
  startChips(document, (overlay, isShown) => {
    if (overlay === "grids") { areas.setShown(isShown); labels.setShown(isShown); return; }
    for (const layer of layers[overlay] ?? []) if (isShown) map.addLayer(layer); else map.removeLayer(layer);
  });
  const search = document.querySelector(".search");
  if (search) startSearch(search, { url: page.urls.search, area: page.code, text, onPick: (one) => { sheet.close(); show(one); } });

  function show(one) {
    if (one.kind === "grid" && areas.get(one.code)) { openArea(one.code, { moves: true }); return; }
    if (one.village && one.village !== page.code) { location.assign(`${page.urls.map}${one.village}#${one.code}`); return; }
    if (one.kind === "village") { location.assign(page.urls.map + one.code); return; }
    showHousehold(one.code);
  }

  function showHousehold(code) {
    const marker = households.find(code);
    if (!marker) { toast(text.not_on_map); return; }
    map.setView(marker.getLatLng(), Math.max(map.getZoom(), 17), { animate: false });
    cards.openHousehold(code, marker.getLatLng());
  }

  startTools(map, box.querySelector(".tools"), { home: page.home, text, toast });
  startScale(map, box.querySelector(".scale-box"), text);
  const overview = box.querySelector(".overview");
  if (overview) {
    startOverview(map, overview, {
      layers: layers.areas, bounds: page.home, text,
      households: households.markers.map((marker) => ({ at: marker.getLatLng(), weight: marker.options.weight })),
    });
  }
  map.on("click", () => cards.close());
  map.on("mousemove", L.Util.throttle((event) => {
    map.getContainer().style.cursor = households.pick(event.containerPoint) ? "pointer" : "";
  }, 60));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") { map.closePopup(); cards.close(); sheet.close(); } });

  const wanted = location.hash.slice(1);
  if (areas.get(wanted)) openArea(wanted, { moves: true });
  else if (households.find(wanted)) showHousehold(wanted);
  Object.assign(window, { mapgridMap: map, mapgridLayers: { households, cases, areas, labels, folium: layers } });
  document.documentElement.dataset.map = "ready";
  performance.mark("map-ready");
}

// The card covers the right of a desk's map and the lower half of a phone's. Without animation: weak machines stutter, and
// what one wants to click next stands still at once.
function fitBesideCard(map, bounds) {
  const size = map.getSize();
  const card = size.x > 760 ? [Math.min(372, size.x / 2), 24] : [12, Math.min(430, size.y * 0.55)];
  map.fitBounds(bounds, { paddingTopLeft: [24, 24], paddingBottomRight: card, maxZoom: 17, animate: false });
}

// The legend shows the very symbols of the map, drawn by the same code.
function drawLegend({ tiers, case_symbols: caseSymbols, text }) {
  for (const symbol of tiers) {
    for (const place of document.querySelectorAll(`[data-tier-symbol="${symbol.tier}"]`)) place.replaceChildren(householdSvg(symbol, text.letters[symbol.tier]));
    for (const part of document.querySelectorAll(`.share [data-tier="${symbol.tier}"]`)) { part.style.background = symbol.colour; part.style.flexGrow = part.dataset.share; }
  }
  for (const symbol of caseSymbols) {
    for (const place of document.querySelectorAll(`[data-case-symbol="${symbol.state}"]`)) place.replaceChildren(caseSvg(symbol));
  }
}

function floatingBoxes(box) {
  const frame = box.getBoundingClientRect();
  return [...box.querySelectorAll(".floating, .attribution")].filter((one) => !one.hidden && one.offsetParent).map((one) => {
    const { left, right, top, bottom } = one.getBoundingClientRect();
    return { left: left - frame.left, right: right - frame.left, top: top - frame.top, bottom: bottom - frame.top };
  });
}

function symbolsInView(map, households, cases) {
  const at = (latlng, cost) => ({ ...pick(map.latLngToContainerPoint(latlng)), cost });
  const pick = ({ x, y }) => ({ x, y });
  const bounds = map.getBounds();
  const near = map.hasLayer(households.near) ? households.near.getLayers() : [];
  return [
    ...near.filter((marker) => bounds.contains(marker.getLatLng())).map((marker) => at(marker.getLatLng(), marker.options.tier === "green" ? 1 : 3)),
    ...cases.group.getLayers().map((pin) => at(pin.getLatLng(), 12)),
  ];
}

function toaster(element) {
  let timer = null;
  return (message, values = {}) => {
    element.textContent = say(message, values);
    element.hidden = false;
    clearTimeout(timer);
    timer = setTimeout(() => { element.hidden = true; }, 8000);
  };
}
