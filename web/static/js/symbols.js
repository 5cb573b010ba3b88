// How a household and a case look: the same drawing on the canvas, in the legend and in cards.
import { makeSvg } from "./dom.js";

const FONT = '"Noto Sans SC","Source Han Sans SC","Noto Sans CJK SC","Microsoft YaHei","PingFang SC",sans-serif';

// Outline of a shape as points of a box of width 1 around (0, 0); null for the circle.
const OUTLINES = {
  triangle: [[0, -0.5], [0.54, 0.42], [-0.54, 0.42]],
  square: [[-0.45, -0.45], [0.45, -0.45], [0.45, 0.45], [-0.45, 0.45]],
  diamond: [[0, -0.55], [0.55, 0], [0, 0.55], [-0.55, 0]],
  circle: null,
};
const LETTER_DROP = { triangle: 0.14, square: 0, diamond: 0, circle: 0 };

export function drawHousehold(context, { x, y }, symbol, size, letter) {
  context.beginPath();
  const outline = OUTLINES[symbol.shape];
  if (outline) {
    outline.forEach(([dx, dy], corner) => context[corner ? "lineTo" : "moveTo"](x + dx * size, y + dy * size));
    context.closePath();
  } else {
    context.arc(x, y, size / 2, 0, 2 * Math.PI);
  }
  context.lineJoin = "round";
  context.strokeStyle = "#fff";
  context.lineWidth = size > 7 ? 2 : 1;
  context.stroke();
  context.fillStyle = symbol.colour;
  context.fill();
  if (!letter) return;
  context.fillStyle = symbol.ink;
  context.font = `700 ${Math.round(size * (symbol.shape === "triangle" ? 0.5 : 0.68))}px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(letter, x, y + size * (LETTER_DROP[symbol.shape] + 0.04));
}

export function householdSvg(symbol, letter = "") {
  const outline = OUTLINES[symbol.shape];
  const shape = outline
    ? makeSvg("polygon", { points: outline.map(([x, y]) => `${13 + 22 * x},${13 + 22 * y}`).join(" ") })
    : makeSvg("circle", { cx: 13, cy: 13, r: 10 });
  shape.setAttribute("fill", symbol.colour);
  const text = makeSvg("text", {
    x: 13, y: symbol.shape === "triangle" ? 20 : 17.6, fill: symbol.ink,
    "font-size": symbol.shape === "triangle" ? 10.5 : 13, "font-weight": 700, "text-anchor": "middle",
  }, letter);
  return makeSvg("svg", { viewBox: "0 0 26 26", "aria-hidden": "true" }, shape, letter ? text : null);
}

const PIN = "M4 2h18a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2h-5l-4 5-4-5H4a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2z";
const SIGNS = {
  exclamation: (ink) => [
    makeSvg("path", { d: "M13 5.5v7", stroke: ink, "stroke-width": 3, "stroke-linecap": "round" }),
    makeSvg("circle", { cx: 13, cy: 16.2, r: 1.7, fill: ink }),
  ],
  clock: (ink) => [
    makeSvg("circle", { cx: 13, cy: 11, r: 5.6, fill: "none", stroke: ink, "stroke-width": 2 }),
    makeSvg("path", { d: "M13 8v3.2l2.2 1.4", fill: "none", stroke: ink, "stroke-width": 1.8, "stroke-linecap": "round" }),
  ],
  arrow: (ink) => [
    makeSvg("path", { d: "M13 17V6.5M8.5 10.5 13 6l4.5 4.5", fill: "none", stroke: ink, "stroke-width": 2.6, "stroke-linecap": "round", "stroke-linejoin": "round" }),
  ],
  dot: (ink) => [makeSvg("circle", { cx: 13, cy: 11, r: 3.2, fill: ink })],
  tick: (ink) => [
    makeSvg("path", { d: "m8.5 11.2 3.2 3.2 6-6.4", fill: "none", stroke: ink, "stroke-width": 2.4, "stroke-linecap": "round", "stroke-linejoin": "round" }),
  ],
};

export function caseSvg(symbol) {
  const ink = symbol.fill === "#FFFFFF" ? symbol.line : "#fff";
  return makeSvg("svg", { viewBox: "0 0 26 27", width: 26, height: 27, "aria-hidden": "true" },
    makeSvg("path", { d: PIN, fill: symbol.fill, stroke: symbol.line, "stroke-width": 2, "stroke-linejoin": "round" }),
    ...SIGNS[symbol.sign](ink));
}

// Ring of tier shares round a count: what stands for many households when the map is far out.
export function ringSvg(shares) {
  const total = shares.reduce((sum, share) => sum + share.count, 0);
  const length = 2 * Math.PI * 17;
  let before = 0;
  const arcs = shares.filter((share) => share.count).map((share) => {
    const arc = makeSvg("circle", {
      cx: 21, cy: 21, r: 17, fill: "none", stroke: share.colour, "stroke-width": 5,
      "stroke-dasharray": `${(share.count / total) * length} ${length}`,
      "stroke-dashoffset": -before * length, transform: "rotate(-90 21 21)",
    });
    before += share.count / total;
    return arc;
  });
  return makeSvg("svg", { viewBox: "0 0 42 42", "aria-hidden": "true" },
    makeSvg("circle", { cx: 21, cy: 21, r: 20, fill: "#fff", stroke: "#44545D", "stroke-width": 1 }), ...arcs);
}
