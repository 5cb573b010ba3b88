// The grid card and the pop-ups. Details come by code from our API and are shown as text only.
import { fetchJson, make, makeSvg, postJson, say } from "./dom.js";
import { caseSvg, householdSvg } from "./symbols.js";

const MOST_IN_POPUP = 8;
const CROSS = () => makeSvg("svg", { width: 16, height: 16, viewBox: "0 0 16 16", "aria-hidden": "true" },
  makeSvg("path", { d: "m3 3 10 10M13 3 3 13", stroke: "currentColor", "stroke-width": 1.6, "stroke-linecap": "round" }));

export class Cards {
  constructor(map, card, { urls, text, tiers, caseSymbols, letters, onClose, onShowGrid }) {
    Object.assign(this, { map, card, urls, text, tiers, caseSymbols, letters, onClose, onShowGrid });
    this.asked = 0;
    card.addEventListener("keydown", (event) => { if (event.key === "Escape") this.close(); });
  }

  close() {
    if (this.card.hidden) return;
    this.card.hidden = true;
    this.onClose();
  }

  async openGrid(code, { takesFocus = false } = {}) {
    const asked = (this.asked += 1);
    this.card.hidden = false;
    this.card.setAttribute("aria-busy", "true");
    let body;
    try {
      body = this.gridBody(await fetchJson(this.urls.grid + encodeURIComponent(code)));
    } catch (error) {
      body = [make("header", {}, make("h2", {}, this.text.not_loaded), this.closeButton()), make("p", {}, this.problem(error))];
    }
    if (asked !== this.asked) return;
    this.card.removeAttribute("aria-busy");
    this.card.replaceChildren(...body);
    if (takesFocus) this.card.querySelector(".close").focus();
  }

  closeButton() {
    const button = make("button", { class: "close", type: "button", "aria-label": this.text.close }, CROSS());
    button.addEventListener("click", () => this.close());
    return button;
  }

  problem(error) {
    if (error.status === 401) { location.reload(); return this.text.loading; }
    return error.status ? say(this.text.error_status, { status: error.status }) : this.text.offline;
  }

  gridBody(grid) {
    const t = this.text;
    const staff = (role) => grid.staff.filter((person) => person.role === role);
    const names = (people) => people.map((person) => person.name).join(t.comma) || t.nobody_yet;
    const leader = staff("leader")[0];
    const open = this.caseSymbols.filter(({ state }) => state !== "closed_recently").reduce((sum, { state }) => sum + (grid.cases[state] ?? 0), 0);
    const overdue = grid.cases.overdue ?? 0;
    const zoom = make("button", { class: "button primary", type: "button" }, t.show_grid);
    zoom.addEventListener("click", () => this.onShowGrid(grid.code));
    return [
      make("header", {}, make("strong", {}, grid.code.slice(-3)),
        make("div", {}, make("h2", {}, say(t.n_households, { n: grid.households })),
          make("p", {}, say(t.n_people, { n: grid.people }), make("i", { class: "dot" }), say(t.n_groups, { n: grid.groups }))),
        this.closeButton()),
      make("ul", {}, ...this.tiers.filter(({ tier }) => tier !== "unknown" || grid.tiers[tier] !== 0).map((symbol) =>
        make("li", { "aria-label": `${t.tiers[symbol.tier]} ${figure(grid.tiers[symbol.tier])}` }, householdSvg(symbol), figure(grid.tiers[symbol.tier])))),
      make("dl", {},
        row(t.liaison, names(staff("liaison"))),
        row(t.leader, leader ? leader.name : t.nobody_yet, leader?.phone),
        row(t.workers, names(staff("worker"))),
        row(t.open_cases, String(open), overdue ? make("span", { class: "badge alert" }, say(t.n_overdue, { n: overdue })) : null)),
      grid.reason ? make("p", { class: "reason" }, t.reasons[grid.reason] ?? grid.reason) : null,
      make("div", { class: "actions" }, zoom),
    ].filter(Boolean);
  }

  async openHousehold(code, at) {
    await this.popup(at, -8, async () => {
      const home = await fetchJson(this.urls.household + encodeURIComponent(code));
      const t = this.text;
      const symbol = this.tiers.find(({ tier }) => tier === home.tier);
      const title = home.members.length || home.people === 0 ? home.head || t.no_head : code.slice(-6);
      return [
        make("h3", {}, householdSvg(symbol, this.letters[home.tier]), title),
        make("dl", {},
          row(t.code, code.slice(-6)),
          row(t.tier, t.tiers[home.tier]),
          home.reasons?.length ? row(t.why, home.reasons.map((reason) => t.tier_reasons[reason] ?? reason).join(t.comma)) : null,
          home.people === null ? null : row(t.people, String(home.people)),
          home.weight > 1 ? row(t.households_here, String(home.weight)) : null,
          home.address ? row(t.address, home.address) : null,
          home.grid ? row(t.grid, `${home.grid.slice(-3)}${home.group ? ` / ${home.group.slice(-2)}` : ""}`) : null),
        home.may_unmask ? this.unmaskPart(code) : make("p", { class: "note" }, home.people === null ? t.hidden_note : t.masked_note),
      ];
    });
  }

  // Names in full: for a stated purpose, which the audit trail keeps with the look.
  unmaskPart(code) {
    const t = this.text;
    const options = Object.entries(t.purposes).map(([purpose, label]) => make("option", { value: purpose }, label));
    const purpose = make("select", { "aria-label": t.purpose }, make("option", { value: "" }, t.purpose), ...options);
    const part = make("div", { class: "note" }, make("p", {}, t.masked_note), purpose);
    purpose.addEventListener("change", async () => {
      if (!purpose.value) return;
      purpose.disabled = true;
      try {
        const full = await postJson(`${this.urls.household}${encodeURIComponent(code)}/unmask`, { purpose: purpose.value });
        part.replaceChildren(make("dl", {}, ...full.members.map((member) => row(member.name, member.phone ?? "–"))), make("p", {}, t.unmasked_note));
      } catch (error) {
        part.append(make("p", {}, this.problem(error)));
        purpose.disabled = false;
      }
    });
    return part;
  }

  async openCases(rows, at) {
    await this.popup(at, -26, async () => {
      const found = await Promise.all(rows.slice(0, MOST_IN_POPUP).map((one) => fetchJson(this.urls.case + encodeURIComponent(one.number))));
      const t = this.text;
      const more = rows.length - found.length;
      const entries = found.flatMap((one) => [
        make("h3", {}, caseSvg(this.caseSymbols.find(({ state }) => state === one.map_state)), one.title),
        make("dl", {}, row(t.number, one.number), row(t.state, t.states[one.map_state]), row(t.class, t.classes[one.category] ?? one.category),
          row(t.reported, moment(one.reported_at)), row(one.closed_at ? t.closed : t.due, moment(one.closed_at ?? one.due_at))),
      ]);
      return more > 0 ? [...entries, make("p", { class: "note" }, say(t.more_cases, { n: more }))] : entries;
    });
  }

  async popup(at, rise, load) {
    const content = make("div", { class: "popup", role: "dialog" }, make("p", {}, this.text.loading));
    // Room is made before it opens and without gliding: what one wants to click next must not move away.
    this.map.panInside(at, { paddingTopLeft: [180, 280], paddingBottomRight: [180, 80], animate: false });
    const popup = L.popup({ offset: [0, rise], maxWidth: 300, maxHeight: 320, autoPan: false }).setLatLng(at).setContent(content).openOn(this.map);
    try {
      content.replaceChildren(...(await load()).filter(Boolean));
    } catch (error) {
      content.replaceChildren(make("p", {}, this.problem(error)));
    }
    popup.update();
  }
}

function row(term, value, extra = null) {
  const small = typeof extra === "string" ? make("small", {}, extra) : extra;
  return make("div", {}, make("dt", {}, term), make("dd", {}, value, small ? " " : "", small));
}

// A count, or that it is kept back because it is small.
function figure(count) {
  return count === null ? "<5" : String(count ?? 0);
}

// 2026-03-05 14:02, in the zone of the villages, whatever zone the reader's machine is in.
function moment(text) {
  return new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short", timeZone: "Asia/Shanghai" }).format(new Date(text));
}
