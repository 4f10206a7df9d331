// Where people write. A message counts once, however often it is sent: it keeps its id until it is answered.

import { $, actId, h, send, word } from "./dom.js";
import { Menu } from "./menu.js";

const TEXT_CHARS_MAX = 4000;
const UNSENT = ["refused", "lost", "busy"];

export class Composer {
  /** `url` to send to; `where()` adds to the message; `on` has `line(line)`, `form()`, `show(code)` and
   *  `unsent(where, text)`, for what was not sent where somebody is no more. */
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
    // Written while something was being sent: Enter was pressed, or it waits behind what could not be sent.
    this.hurry = false;
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
    const was = [this.text.value, this.later].filter((part) => part !== "").join("\n");
    this.hurry = false;
    this.later = "";
    this.text.value = text;
    this.grow();
    this.menu.look();
    this.clear();
    return was;
  }

  async submit() {
    const text = this.text.value.trim();
    if (text === "") return;
    if ([...text].length > TEXT_CHARS_MAX) return this.say({ ack: "refused", text: word("too-long") });
    if (this.busy) {
      this.hurry = true;
      return;
    }
    const [where, later] = [this.where(), this.later];
    this.draft("");
    const answer = await this.deliver(text, "unasked");
    const sent = !UNSENT.includes(answer.ack);
    if (!sent) this.restore(where, text, later);
    else if (later !== "") this.put(later);
    this.say(answer);
    this.text.focus();
    if (sent && this.hurry) this.submit();
  }

  /** What was not sent stands there again; what was written since waits behind it, so that its id stays the same. */
  restore(where, text, later) {
    if (JSON.stringify(where) !== JSON.stringify(this.where())) return this.on.unsent?.(where, text);
    this.later = [this.text.value, later].filter((part) => part !== "").join("\n");
    this.text.value = text;
    this.grow();
  }

  /** Puts a text before what stands there. */
  put(text) {
    this.text.value = [text, this.text.value].filter((part) => part !== "").join("\n");
    this.grow();
  }

  /** Sends a text as if it had been typed. What was not answered goes out under the same id again. */
  async deliver(text, again) {
    const where = this.where();
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
      if (!this.busy) this.say(await this.deliver(answer.sent, "wanted"));
    });
    return h("div", { class: "buttons" }, show, more);
  }
}
