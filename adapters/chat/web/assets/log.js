// The list of messages. A line that comes again, changed or not, takes the place of the one with its id.

import { cardElement } from "./card.js";
import { $, dayText, h, timeText, wholeText, word } from "./dom.js";

/** Messages of one author within this time stand together. */
const TOGETHER_MS = 5 * 60_000;
/** Nearer to the end than this, the list follows what is new. */
const NEAR_PX = 120;

export class Log {
  /** `me` is whose side this is: `visitor` or `staff`. */
  constructor({ me, press }) {
    this.me = me;
    this.press = press;
    this.list = $("log");
    this.scroller = $("scroll");
    this.empty = $("empty");
    this.latest = $("latest");
    this.items = new Map();
    this.latest.addEventListener("click", () => this.toEnd());
    this.scroller.addEventListener("scroll", () => this.near() && (this.latest.hidden = true));
    // A keyboard that opens, or a font that loads, does not push the newest message out of sight.
    new ResizeObserver(() => this.following && this.toEnd()).observe(this.scroller);
    this.following = true;
    this.scroller.addEventListener("scroll", () => (this.following = this.near()));
  }

  /** Empties the list; what follows is history, which is not read aloud. */
  reset() {
    this.list.setAttribute("aria-live", "off");
    this.list.replaceChildren();
    this.items.clear();
    this.empty.hidden = false;
    this.latest.hidden = true;
    this.following = true;
  }

  /** From now on lines are news. */
  live() {
    this.list.setAttribute("aria-live", "polite");
    this.toEnd();
  }

  isLive() {
    return this.list.getAttribute("aria-live") === "polite";
  }

  put(line) {
    const old = this.items.get(line.id);
    if (old && old.seq >= line.seq) return;
    const follow = this.following || line.author === document.body.dataset.me;
    const item = this.item(line);
    if (old) this.replace(old.item, item);
    else this.insert(line.id, item);
    this.items.set(line.id, { item, seq: line.seq, line });
    this.empty.hidden = true;
    this.settle(item);
    if (item.nextElementSibling) this.settle(item.nextElementSibling);
    if (follow && (!old || this.near())) this.toEnd();
    else if (!old && this.isLive()) this.latest.hidden = false;
  }

  /** Brings the card with this code into view. False when it is not here. */
  showCard(code) {
    const cards = [...this.list.querySelectorAll(".card")].filter((card) => card.dataset.code === code);
    const card = cards.at(-1);
    if (!card) return false;
    card.scrollIntoView({ block: "center" });
    card.focus({ preventScroll: true });
    flash(card);
    return true;
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.latest.hidden = true;
    this.following = true;
  }

  near() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < NEAR_PX;
  }

  /** On our side of the conversation: the customer stands on one, staff and Till on the other. */
  isOurs(line) {
    return (line.author === "visitor") === (this.me === "visitor");
  }

  /** Lines stand in the order in which they were written, whatever the order in which they come. */
  insert(id, item) {
    let before = this.list.lastElementChild;
    while (before && Number(before.dataset.id) > id) before = before.previousElementSibling;
    if (before) before.after(item);
    else this.list.prepend(item);
  }

  replace(old, item) {
    const focused = old.contains(document.activeElement);
    old.replaceWith(item);
    const card = item.querySelector(".card");
    if (card && this.isLive()) flash(card);
    if (card && focused) card.focus({ preventScroll: true });
  }

  item(line) {
    const role = line.author.split(":")[0];
    const kind = line.body.kind === "card" ? "with-card" : role === "till" ? "event" : "bubble";
    const side = this.isOurs(line) ? "mine" : "theirs";
    const content = kind === "with-card" ? cardElement(line.body, this.press) : textElement(line);
    const time = h("time", { datetime: new Date(line.at).toISOString(), title: wholeText(line.at) }, timeText(line.at));
    return h(
      "li",
      { class: `${kind} ${side}${line.private ? " private" : ""}`, "data-id": line.id, "data-author": line.author, "data-at": line.at },
      h("p", { class: "day" }, dayText(line.at)),
      h("p", { class: "by" }, h("bdi", {}, line.author === document.body.dataset.me ? word("you") : line.name), " ", time),
      line.private && h("p", { class: "readers" }, word("private")),
      content,
    );
  }

  /** A day is named once, an author once per run of messages. */
  settle(item) {
    const before = item.previousElementSibling;
    const at = Number(item.dataset.at);
    const beforeAt = Number(before?.dataset.at ?? 0);
    const sameDay = before && new Date(at).toDateString() === new Date(beforeAt).toDateString();
    const sameRun = sameDay && before.dataset.author === item.dataset.author && at - beforeAt < TOGETHER_MS;
    item.classList.toggle("new-day", !sameDay);
    item.classList.toggle("run-on", Boolean(sameRun));
  }
}

function textElement(line) {
  return h("p", { class: "text", dir: "auto" }, line.body.text ?? "");
}

function flash(card) {
  card.classList.remove("changed");
  // Reading a size makes the browser notice that the class was gone, so that the animation runs anew.
  void card.offsetWidth;
  card.classList.add("changed");
}
