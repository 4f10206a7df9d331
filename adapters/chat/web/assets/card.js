// A payment's card: what it is, how much, and what can be pressed now.

import { h, webAddress, word } from "./dom.js";

/** The element for a card's body. `press(action, card)` is called for a button; without it there are no buttons. */
export function cardElement(body, press) {
  const card = body.card;
  return h(
    "article",
    { class: "card", "data-tone": card.tone, "data-code": card.code, tabindex: "-1", "aria-label": card.title },
    h(
      "header",
      {},
      h("p", { class: "badge" }, text(body.badge ?? card.title)),
      card.mode === "test" && h("p", { class: "stamp" }, word("test")),
    ),
    h("p", { class: "amount" }, text(card.amount)),
    forStaff(card.details),
    details(card.details.filter((detail) => detail.audience !== "staff")),
    card.items.length > 0 && items(card),
    card.note && h("p", { class: "note" }, text(card.note)),
    actions(card, press),
    ...(body.more ?? []).map((more) => h("p", { class: "more" }, text(more.text))),
    h("footer", {}, text(card.footer)),
  );
}

/** Text from outside keeps its own direction and turns nobody else's. */
function text(value) {
  return h("bdi", {}, value);
}

/** What the customer does not see, where there is any. */
function forStaff(all) {
  const secret = details(all.filter((detail) => detail.audience === "staff"));
  return secret && h("section", { class: "secret" }, h("p", {}, word("private")), secret);
}

function details(all) {
  if (all.length === 0) return null;
  const rows = all.map((detail) => h("div", {}, h("dt", {}, detail.label), h("dd", {}, text(detail.value))));
  return h("dl", {}, ...rows);
}

function items(card) {
  const rows = card.items.map((item) => h("tr", {}, h("td", {}, text(item.name)), h("td", {}, text(item.amount))));
  const heads = ["table-item", "table-amount"].map((key) => h("th", { scope: "col" }, word(key)));
  return h("table", {}, h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...rows));
}

function actions(card, press) {
  const row = card.actions.map((action, at) => {
    if (action.kind === "link") return link(action, at);
    if (action.kind === "press" && press) {
      return h("button", { type: "button", class: "quiet", onclick: () => press(action, card) }, action.label);
    }
    return null;
  });
  const shown = row.filter(Boolean);
  return shown.length > 0 && h("div", { class: "actions" }, ...shown);
}

function link(action, at) {
  const href = webAddress(action.url);
  if (!href) return null;
  const about = `${action.label} (${word("new-window")})`;
  const kind = at === 0 ? "primary" : "quiet";
  return h("a", { class: kind, href, target: "_blank", rel: "noopener", "aria-label": about }, action.label);
}
