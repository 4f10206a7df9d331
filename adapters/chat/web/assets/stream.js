// Listens to the server, and comes back by itself: nothing is lost, since each line has a number and we say the last.

import { $, h, word } from "./dom.js";

/** No sign of life for this long means that the line is dead, whatever the browser believes. */
const SILENCE_MS_MAX = 40_000;

/**
 * Follows `url`. `on` has `line(line)`, `conversation(conversation)` and `ready()`. After a break `line` may come a
 * second time for the same id: whoever draws replaces by id.
 */
export function follow(url, on) {
  let source = null;
  let after = 0;
  let heardAt = Date.now();
  let tries = 0;
  let timer = null;
  let over = false;

  function open() {
    clearTimeout(timer);
    source?.close();
    if (over) return;
    heardAt = Date.now();
    source = new EventSource(`${url}?after=${after}`);
    const listen = (name, act) =>
      source.addEventListener(name, (event) => {
        heardAt = Date.now();
        act(JSON.parse(event.data));
      });
    listen("hello", () => (tries = 0));
    listen("beat", () => {});
    listen("conversation", (conversation) => on.conversation?.(conversation));
    listen("line", (line) => {
      after = Math.max(after, line.seq);
      on.line(line);
    });
    listen("ready", () => {
      show("live");
      on.ready?.();
    });
    listen("bye", end);
    source.onerror = broken;
  }

  function broken() {
    if (over) return;
    show("reconnecting");
    // The browser comes back by itself from a break, but not from an answer that is no stream.
    if (source.readyState === EventSource.CLOSED) later();
  }

  async function later() {
    clearTimeout(timer);
    const status = await fetch(url, { method: "HEAD" }).then((response) => response.status, () => 0);
    if (status === 401 || status === 404) return end();
    tries += 1;
    timer = setTimeout(open, Math.min(30_000, 500 * 2 ** tries) * (0.5 + Math.random() / 2));
  }

  /** The session has ended: say so, and offer the way back in. */
  function end() {
    over = true;
    source?.close();
    show("off");
    on.ended?.();
  }

  setInterval(() => {
    if (Date.now() - heardAt > SILENCE_MS_MAX) {
      show("reconnecting");
      open();
    }
  }, 5_000);
  addEventListener("online", open);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && Date.now() - heardAt > SILENCE_MS_MAX / 2) open();
  });
  open();
}

/** Shows how the connection is, in words. */
function show(state) {
  const place = $("state");
  if (place.dataset.state === state) return;
  place.dataset.state = state;
  place.textContent = word(state);
}

/** A bar across the page with a button that loads it anew. */
export function reloadNotice(text) {
  const button = h("button", { type: "button", class: "quiet", onclick: () => location.reload() }, word("reload"));
  document.querySelector(".bar").after(h("p", { class: "notice", role: "alert" }, `${text} `, button));
}
