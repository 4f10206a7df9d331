// The customer's page.

import { Composer } from "./composer.js";
import { word } from "./dom.js";
import { Log } from "./log.js";
import { follow, reloadNotice } from "./stream.js";

const log = new Log({ me: "visitor" });
const composer = new Composer("/chat/say", () => ({}), {
  line: (line) => log.put(line),
  show: (code) => log.showCard(code),
});

const title = document.title;
let unread = 0;

function count(more) {
  unread = document.hidden ? unread + more : 0;
  document.title = unread > 0 ? `(${unread}) ${title}` : title;
}

document.addEventListener("visibilitychange", () => count(0));

follow("/chat/stream", {
  line: (line) => {
    const news = log.isLive() && line.author !== "visitor";
    log.put(line);
    if (news) count(1);
  },
  ready: () => !log.isLive() && log.live(),
  ended: () => reloadNotice(word("ended")),
});

// On a phone the keyboard would cover half of what there is to read.
if (matchMedia("(pointer: fine)").matches && window.top === window) composer.text.focus();
