// The menu of commands that opens with a slash: filtered while typing, completed with Tab or Enter.

import { $, h, word } from "./dom.js";

const commands = JSON.parse(document.body.dataset.commands);

export class Menu {
  constructor(text) {
    this.text = text;
    this.list = $("menu");
    this.hint = $("hint");
    this.found = [];
    this.at = 0;
    if (commands.length === 0) return;
    text.setAttribute("role", "combobox");
    text.setAttribute("aria-autocomplete", "list");
    text.setAttribute("aria-controls", "menu");
    text.setAttribute("aria-expanded", "false");
    text.addEventListener("input", () => this.look());
    text.addEventListener("blur", () => this.close());
    text.addEventListener("focus", () => this.look());
  }

  /** Whether it took the key. */
  key(event) {
    if (this.list.hidden) return false;
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) {
      this.at = (this.at + steps[event.key] + this.found.length) % this.found.length;
      this.draw();
    } else if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey)) {
      this.take(this.found[this.at]);
    } else if (event.key === "Escape") {
      this.close();
    } else {
      return false;
    }
    event.preventDefault();
    return true;
  }

  look() {
    const typed = this.text.value.toLowerCase();
    const begins = (command) => command.opening.toLowerCase().startsWith(typed) && command.opening.toLowerCase() !== typed;
    this.found = typed !== "" && !typed.includes("\n") ? commands.filter(begins) : [];
    this.at = 0;
    const begun = commands.find((command) => typed.startsWith(`${command.opening.toLowerCase()} `));
    this.hint.hidden = !begun;
    this.hint.textContent = begun ? word("example", { n: begun.example }) : "";
    this.draw();
  }

  draw() {
    const shown = this.found.length > 0;
    this.list.hidden = !shown;
    this.text.setAttribute("aria-expanded", String(shown));
    if (shown) this.text.setAttribute("aria-activedescendant", `menu-${this.at}`);
    else this.text.removeAttribute("aria-activedescendant");
    this.list.replaceChildren(...this.found.map((command, at) => this.option(command, at)));
    this.list.children[this.at]?.scrollIntoView({ block: "nearest" });
  }

  option(command, at) {
    const attributes = {
      id: `menu-${at}`,
      role: "option",
      "aria-selected": String(at === this.at),
      // Not on click: by then the text has lost the focus and the menu is gone.
      onpointerdown: (event) => {
        event.preventDefault();
        this.take(command);
      },
    };
    return h("li", attributes, h("b", {}, command.opening), h("span", {}, command.about), h("code", {}, command.example));
  }

  take(command) {
    this.text.value = `${command.opening} `;
    this.text.dispatchEvent(new Event("input"));
    this.text.focus();
  }

  close() {
    this.found = [];
    this.draw();
  }
}
