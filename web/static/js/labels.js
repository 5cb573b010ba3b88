// Labels of grids or villages: each in its own visible part, where it covers the fewest symbols and no card.
import { make, makeSvg } from "./dom.js";

const HALF_HEIGHT = 14;
const PADDING = 13;
const GAP = 6;
const SMALL_HALF_HEIGHT = 9;
const SMALL_PADDING = 5;
const STEPS = 9;
const pen = document.createElement("canvas").getContext("2d");

export class LabelLayer {
  constructor(map, { boxes, onPick, symbolsAt, peopleFrom, whole, nameAloneBelow, clusteredUpTo, shortens = false }) {
    Object.assign(this, { map, boxes, onPick, symbolsAt, peopleFrom, whole, nameAloneBelow, clusteredUpTo, shortens });
    this.areas = [];
    this.selected = null;
    this.isShown = true;
    this.group = L.layerGroup().addTo(map);
    map.on("moveend zoomend resize", () => this.draw());
  }

  // Labels of grids give way: no room in the own grid, no label. With `whole`, the village itself, its name stands alone far
  // out and grids out of view are named at the edge; without, the areas are villages, which may be smaller than their label.
  // With `shortens`, no label reaches over the border of its grid: it loses its count, then its size, then goes, until one zooms in;
  // only a rule-breaker's may reach over a border rather than go.
  // areas: {code, title, households, people, isBreaker, layer} with `layer` the Leaflet polygon; with `shortens`, `count_alone`
  // is what the label shows of the households.
  setAreas(areas) {
    this.areas = areas;
    this.draw();
  }

  select(code) {
    this.selected = code;
    this.draw();
  }

  setShown(isShown) {
    this.isShown = isShown;
    this.draw();
  }

  draw() {
    const focused = document.activeElement?.dataset?.area;
    this.group.clearLayers();
    if (!this.isShown) return;
    const zoom = this.map.getZoom();
    const size = this.map.getSize();
    if (this.whole && zoom < this.nameAloneBelow) {
      this.addWhole(size);
      return;
    }
    const taken = this.boxes();
    const symbols = this.symbolsAt();
    const order = [...this.areas].sort((a, b) => (b.code === this.selected) - (a.code === this.selected));
    if (this.shortens) {
      this.drawShortening(size, taken, symbols);
      return;
    }
    const withPeople = zoom >= this.peopleFrom;
    const mustFit = this.whole && zoom <= this.clusteredUpTo;
    for (const one of order) {
      const count = withPeople ? `${one.households}  ${one.people}` : one.households;
      const area = { ...one, count, half: halfOf({ ...one, count }) };
      const rings = ringsOf(area.layer, this.map);
      const spot = bestSpot(rings, area.half, size, taken, symbols, mustFit) ?? (this.whole ? null : spotBeside(area, this.map, size, taken));
      if (spot) {
        taken.push(boxAround(spot, area.half));
        this.add(area, spot, null);
      } else if (this.whole && size.x > 760) {
        this.addAtEdge(area, size, taken);
      }
    }
    if (focused) this.group.eachLayer((pill) => { if (pill.options.area === focused) pill.getElement()?.focus(); });
  }

  // Long labels never take the room of a short one: all grids get their code first, then those with room their count.
  drawShortening(size, taken, symbols) {
    const placed = [];
    for (const one of [...this.areas].sort((a, b) => b.isBreaker - a.isBreaker)) {
      const rings = ringsOf(one.layer, this.map);
      for (const [isSmall, mustFit] of [[false, true], [true, true], ...(one.isBreaker ? [[true, false]] : [])]) {
        const area = { ...one, count: "", isSmall };
        const half = halfOf(area);
        const spot = bestSpot(rings, half, size, taken, symbols, mustFit);
        if (!spot) continue;
        const box = boxAround(spot, half);
        taken.push(box);
        placed.push({ area, rings, spot, box });
        break;
      }
    }
    for (const { area, rings, spot, box } of placed) {
      const long = { ...area, count: area.count_alone, isSmall: false };
      const others = taken.filter((other) => other !== box);
      const half = halfOf(long);
      const better = bestSpot(rings, half, size, others, symbols, true);
      if (better) taken.splice(taken.indexOf(box), 1, boxAround(better, half));
      this.add(better ? long : area, better ?? spot, null);
    }
  }

  // Far out a village is one label over its middle, or as little higher as uncovers every case.
  addWhole(size) {
    const bounds = L.latLngBounds([]);
    for (const { layer } of this.areas) bounds.extend(layer.getBounds());
    if (!bounds.isValid()) return;
    const area = { ...this.whole, count: this.whole.households };
    const half = halfOf(area);
    const middle = this.map.latLngToContainerPoint(bounds.getCenter());
    if (!L.bounds([0, 0], size).contains(middle)) return;
    const symbols = this.symbolsAt();
    let spot = middle;
    while (spot.y > half.y && symbols.some((at) => isUnder(at, boxAround(spot, half)))) spot = spot.subtract([0, half.y]);
    this.add(area, spot, null);
  }

  addAtEdge(area, size, taken) {
    const centre = this.map.latLngToContainerPoint(area.layer.getBounds().getCenter());
    const isInside = centre.x > 0 && centre.y > 0 && centre.x < size.x && centre.y < size.y;
    if (isInside) return;
    const middle = size.divideBy(2);
    const way = centre.subtract(middle);
    const reach = Math.min((middle.x - area.half.x - 10) / Math.abs(way.x || 1), (middle.y - 46) / Math.abs(way.y || 1));
    const spot = middle.add(way.multiplyBy(reach));
    const box = boxAround(spot, area.half);
    if (taken.some((other) => overlap(box, other))) return;
    taken.push(box);
    this.add(area, spot, (Math.atan2(way.y, way.x) * 180) / Math.PI);
  }

  add(area, spot, arrow) {
    const isSelected = area.code === this.selected;
    const pill = make("div", { class: ["pill", isSelected && "selected", area.isBreaker && "breaker-pill", area.isSmall && "small", arrow !== null && "at-edge"].filter(Boolean).join(" ") },
      arrow === null ? null : makeSvg("svg", { width: 12, height: 12, viewBox: "0 0 12 12" },
        makeSvg("path", { d: "M1 2.5 11 6 1 9.5z", fill: "currentColor", transform: `rotate(${arrow} 6 6)` })),
      make("b", {}, area.title + (area.isBreaker ? " !" : "")), area.count ? make("span", {}, area.count) : null);
    const marker = L.marker(this.map.containerPointToLatLng(spot), {
      pane: "labels", area: area.code,
      icon: L.divIcon({ html: pill, className: "label-icon", iconSize: [0, 0] }),
    });
    marker.on("add", () => {
      const element = marker.getElement();
      element.dataset.area = area.code;
      element.setAttribute("aria-label", [area.title, area.households, area.people].filter(Boolean).join(" "));
      element.title = [area.households, area.people].filter(Boolean).join(", ");
    });
    marker.on("click keypress", (event) => {
      if (event.type === "keypress" && event.originalEvent.key !== "Enter") return;
      this.onPick(area.code);
    });
    this.group.addLayer(marker);
  }
}

// Half the size of a label, from the width of its words in its own type.
function halfOf({ title, count, isBreaker, isSmall }) {
  const family = getComputedStyle(document.body).fontFamily;
  pen.font = `700 ${isSmall ? 12 : 16}px ${family}`;
  const wide = pen.measureText(isBreaker ? `${title} !` : title).width;
  pen.font = `13px ${family}`;
  if (isSmall) return L.point(wide / 2 + SMALL_PADDING, SMALL_HALF_HEIGHT);
  return L.point((wide + pen.measureText(count).width) / 2 + (count ? PADDING : PADDING - GAP / 2), HALF_HEIGHT);
}

function ringsOf(layer, map) {
  const found = [];
  const walk = (latlngs) => {
    if (latlngs[0] instanceof L.LatLng) found.push(latlngs.map((at) => map.latLngToContainerPoint(at)));
    else latlngs.forEach(walk);
  };
  walk(layer.getLatLngs());
  return found;
}

// Even-odd rule over all rings, so that holes count as outside.
function isIn(rings, { x, y }) {
  let inside = false;
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
      const a = ring[i];
      const b = ring[j];
      if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
    }
  }
  return inside;
}

function bestSpot(rings, half, size, taken, symbols, mustFit) {
  const points = rings.flat();
  const low = L.point(Math.max(half.x + 4, Math.min(...points.map((p) => p.x))), Math.max(half.y + 6, Math.min(...points.map((p) => p.y))));
  const high = L.point(Math.min(size.x - half.x - 4, Math.max(...points.map((p) => p.x))), Math.min(size.y - half.y - 6, Math.max(...points.map((p) => p.y))));
  if (low.x > high.x || low.y > high.y) return null;
  const middle = low.add(high).divideBy(2);
  const near = symbols.filter((at) => at.x > low.x - half.x && at.x < high.x + half.x && at.y > low.y - half.y && at.y < high.y + half.y);
  const reach = Math.hypot(high.x - low.x, high.y - low.y) || 1;
  let best = null;
  for (let i = 0; i <= STEPS; i += 1) {
    for (let j = 0; j <= STEPS; j += 1) {
      const spot = L.point(low.x + ((high.x - low.x) * i) / STEPS, low.y + ((high.y - low.y) * j) / STEPS);
      if (!isIn(rings, spot)) continue;
      const box = boxAround(spot, half);
      if (taken.some((other) => overlap(box, other))) continue;
      const corners = [[box.left, spot.y], [box.right, spot.y], [spot.x, box.top], [spot.x, box.bottom]];
      const outside = corners.filter(([x, y]) => !isIn(rings, { x, y })).length;
      if (mustFit && outside) continue;
      const covered = near.reduce((sum, at) => sum + (at.x > box.left && at.x < box.right && at.y > box.top && at.y < box.bottom ? at.cost : 0), 0);
      const cost = 3 * covered + 2 * outside + (8 * spot.distanceTo(middle)) / reach;
      if (!best || cost < best.cost) best = { spot, cost };
    }
  }
  return best && best.spot;
}

// An area smaller than its label: the label stands on it, or as near as there is room.
function spotBeside(area, map, size, taken) {
  const { half } = area;
  const bounds = area.layer.getBounds();
  const centre = map.latLngToContainerPoint(bounds.getCenter());
  const extent = map.latLngToContainerPoint(bounds.getSouthEast()).subtract(map.latLngToContainerPoint(bounds.getNorthWest()));
  if (extent.x > 2 * half.x || !L.bounds([0, 0], size).contains(centre)) return null;
  for (let ring = 0; ring <= 4; ring += 1) {
    for (const [dx, dy] of ring ? [[0, -1], [0, 1], [-1, 0], [1, 0], [-1, -1], [1, -1], [-1, 1], [1, 1]] : [[0, 0]]) {
      const spot = L.point(centre.x + dx * ring * (2 * half.x + 4), centre.y + dy * ring * (2 * half.y + 2));
      const box = boxAround(spot, half);
      const isInside = box.left > 0 && box.top > 0 && box.right < size.x && box.bottom < size.y;
      if (isInside && !taken.some((other) => overlap(box, other))) return spot;
    }
  }
  return null;
}

function boxAround(spot, half) {
  return { left: spot.x - half.x, right: spot.x + half.x, top: spot.y - half.y, bottom: spot.y + half.y };
}

// Pins stand on their point and reach up from it, so their box is looked at, not the point alone.
function isUnder({ x, y }, box) {
  return overlap({ left: x - 14, right: x + 14, top: y - 28, bottom: y + 2 }, box);
}

function overlap(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
