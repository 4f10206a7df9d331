// Where people write. A message counts once, however often it is sent: it keeps its id until it is answered.

import { $, actId, h, send, word } from "./dom.js";
import { Menu } from "./menu.js";

const TEXT_CHARS_MAX = 4000;
const UNSENT = ["refused", "lost", "busy"];

const lines = (...parts) => parts.filter((part) => part !== "").join("\n");

export class Composer {
  /** `url` to send to; `where()` adds to the message; `on` has `line(line)`, `form()`, `show(code)` and
   *  `unsent(where, text)`, for what was not sent or waits where somebody is no more. */
  constructor(url, where, on) {
    this.url = url;
    this.where = where;
    this.on = on;
    this.form = $("composer");
    this.text = $("text");
    this.place = $("answer");
    this.menu = new Menu(this.text);
    this.busy = false;
    this.act = null;
    // What Enter was pressed on, oldest first: where it goes, its text, and what waits behind it in the field.
    this.queue = [];
    // Waits behind what could not be sent, which stands in the field.
    this.later = "";
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.text.addEventListener("input", () => this.grow());
    this.text.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    // While an input method composes, Enter belongs to it.
    if (event.isComposing || this.menu.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Escape") {
      this.clear();
    }
  }

  grow() {
    this.text.style.height = "";
    // Empty, it is one line high, however long its placeholder is.
    if (this.text.value !== "") this.text.style.height = `${Math.min(this.text.scrollHeight, 180)}px`;
  }

  /** What stands there now, to be put back later: each conversation has its own draft. */
  draft(text) {
    const was = lines(this.text.value, this.later);
    this.later = "";
    this.text.value = text;
    this.grow();
    this.menu.look();
    this.clear();
    return was;
  }

  /** Whether this is where somebody is now. */
  here(where) {
    return JSON.stringify(where) === JSON.stringify(this.where());
  }

  /** Sends what stands there, as it is now: what is typed after this stays in the field. */
  submit() {
    const text = this.text.value.trim();
    if (text === "") return;
    if ([...text].length > TEXT_CHARS_MAX) return this.say({ ack: "refused", text: word("too-long") });
    this.queue.push({ where: this.where(), text, later: this.later });
    this.later = "";
    this.draft("");
    this.sendAll();
  }

  /** Sends what is queued, one after the other, as long as it goes well. */
  async sendAll() {
    while (!this.busy && this.queue.length > 0) {
      const one = this.queue.shift();
      const answer = await this.deliver(one.text, "unasked", one.where);
      if (UNSENT.includes(answer.ack)) this.restore([one, ...this.queue.splice(0)]);
      else this.put(one.where, one.later);
      this.say(answer);
      this.text.focus();
    }
  }

  /** The first that was not sent stands there again; the others, and what was written since, wait behind it, so that its
   *  id stays the same. */
  restore(unsent) {
    for (const one of [...unsent].reverse()) {
      if (!this.here(one.where)) this.on.unsent?.(one.where, lines(one.text, one.later));
    }
    const [first, ...others] = unsent.filter((one) => this.here(one.where));
    if (!first) return;
    this.later = lines(first.later, ...others.map((one) => lines(one.text, one.later)), this.text.value);
    this.text.value = first.text;
    this.grow();
  }

  /** Puts a text before what stands there, or hands it back where somebody is no more. */
  put(where, text) {
    if (text === "") return;
    if (!this.here(where)) return this.on.unsent?.(where, text);
    this.text.value = lines(text, this.text.value);
    this.grow();
  }

  /** Sends a text as if it had been typed. What was not answered goes out under the same id again. */
  async deliver(text, again, where = this.where()) {
    const same = (act) => act && act.text === text && act.again === again && act.where === JSON.stringify(where);
    if (!same(this.act)) this.act = { id: actId(), text, again, where: JSON.stringify(where) };
    this.wait(true);
    const answer = await send(this.url, { client_id: this.act.id, text, again, ...where });
    this.wait(false);
    const answered = ["talk", "say", "same", "form"].includes(answer.ack);
    if (answered) this.act = null;
    if (answer.line) this.on.line(answer.line);
    if (answer.wait > 0) this.pause(answer.wait);
    return { ...answer, sent: text };
  }

  wait(busy) {
    this.busy = busy;
    this.form.setAttribute("aria-busy", String(busy));
  }

  /** Too often: the button waits as long as the server asks. */
  pause(secs) {
    const button = this.form.querySelector(".send");
    button.disabled = true;
    setTimeout(() => (button.disabled = false), secs * 1000);
  }

  clear() {
    this.place.hidden = true;
    this.place.replaceChildren();
  }

  /** Shows the answer to this person alone. */
  say(answer) {
    this.clear();
    if (answer.ack === "talk") return;
    if (answer.ack === "form") return this.on.form?.();
    const bad = UNSENT.includes(answer.ack);
    this.place.setAttribute("role", bad ? "alert" : "status");
    this.place.classList.toggle("bad", bad);
    const close = h("button", { type: "button", class: "close", "aria-label": word("dismiss"), onclick: () => this.clear() }, "×");
    this.place.append(h("p", { dir: "auto" }, answer.text ?? ""), close);
    if (answer.ack === "same") this.place.append(this.choice(answer));
    this.place.hidden = false;
  }

  choice(answer) {
    const show = h("button", { type: "button", class: "quiet", onclick: () => this.on.show(answer.code) }, word("show-it"));
    const more = h("button", { type: "button", class: "primary" }, word("one-more"));
    more.addEventListener("click", async () => {
      if (this.busy) return;
      this.say(await this.deliver(answer.sent, "wanted"));
      this.sendAll();
    });
    return h("div", { class: "buttons" }, show, more);
  }
}
