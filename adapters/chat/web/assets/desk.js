// The staff desk: every conversation on the left, one of them on the right.

import { Composer } from "./composer.js";
import { $, actId, h, send, shortText, word } from "./dom.js";
import { openPayForm, openQuestion } from "./dialogs.js";
import { Log } from "./log.js";
import { follow, reloadNotice } from "./stream.js";

const commands = JSON.parse(document.body.dataset.commands);
const wide = matchMedia("(min-width: 720px)");
/** By id. `whole`: the lines from before the stream's window are here, or on their way. */
const conversations = new Map();
const seen = JSON.parse(localStorage.getItem("till.seen") ?? "{}");
let chosen = null;
let ready = false;

const log = new Log({ me: "staff", press });
const composer = new Composer("/desk/say", () => ({ conversation: chosen?.id ?? "" }), {
  line: take,
  form: askForMoney,
  show: showPayment,
  unsent: (where, text) => {
    const there = conversations.get(where.conversation);
    if (there) there.draft = [text, there.draft].filter((part) => part !== "").join("\n");
  },
});

// ── The list ─────────────────────────────────────────────────────────────────────────────────────────────────────

function meet(news) {
  const known = conversations.get(news.id);
  const conversation = known ?? { lines: new Map(), draft: "", seq: 0, whole: false };
  Object.assign(conversation, { id: news.id, name: news.name, changed_at: Math.max(conversation.changed_at ?? 0, news.changed_at) });
  conversations.set(news.id, conversation);
  if (!known) conversation.row = row(conversation);
  draw(conversation);
  if (ready && !chosen && wide.matches) choose(conversation.id);
}

function row(conversation) {
  const parts = {
    name: h("b", {}),
    time: h("time", {}),
    last: h("span", { class: "last" }),
    dot: h("span", { class: "dot" }, h("span", { class: "sr" }, word("unread"))),
  };
  const link = h("a", { href: `#${conversation.id}` }, parts.name, parts.time, parts.last, parts.dot);
  return { item: h("li", { "data-id": conversation.id }, link), link, ...parts };
}

function draw(conversation) {
  const { row, lines } = conversation;
  const last = [...lines.values()].reduce((a, b) => (a && a.id > b.id ? a : b), null);
  row.name.textContent = conversation.name;
  row.time.textContent = shortText(conversation.changed_at);
  row.last.textContent = last ? preview(last) : word("nothing-yet");
  row.dot.hidden = conversation === chosen || conversation.seq <= (seen[conversation.id] ?? 0);
  if (conversation === chosen) row.link.setAttribute("aria-current", "true");
  else row.link.removeAttribute("aria-current");
  place(conversation);
  $("none").hidden = conversations.size > 0;
}

/** Newest first. Moves this one only: the others keep their focus and their place on the screen. */
function place({ row, changed_at }) {
  const list = $("conversations");
  const older = (item) => item !== row.item && conversations.get(item.dataset.id).changed_at < changed_at;
  const next = [...list.children].find(older) ?? null;
  if (!row.item.isConnected || row.item.nextElementSibling !== next) list.insertBefore(row.item, next);
}

function preview(line) {
  if (line.body.kind === "card") return `${line.body.card.amount} · ${line.body.badge}`;
  const who = line.author === document.body.dataset.me ? `${word("you")}: ` : "";
  return who + (line.body.text ?? "");
}

// ── What comes in ────────────────────────────────────────────────────────────────────────────────────────────────

function take(line) {
  const conversation = conversations.get(line.conversation);
  if (!conversation) return;
  const old = conversation.lines.get(line.id);
  if (old && old.seq >= line.seq) return;
  conversation.lines.set(line.id, line);
  conversation.seq = Math.max(conversation.seq, line.seq);
  conversation.changed_at = Math.max(conversation.changed_at, line.at);
  if (conversation === chosen) {
    log.put(line);
    if (!document.hidden) markSeen();
  }
  draw(conversation);
}

function markSeen() {
  if (!chosen || chosen.seq <= (seen[chosen.id] ?? 0)) return;
  seen[chosen.id] = chosen.seq;
  localStorage.setItem("till.seen", JSON.stringify(seen));
}

follow("/desk/stream", {
  conversation: meet,
  line: take,
  ready: () => {
    if (ready) return;
    ready = true;
    const wanted = location.hash.slice(1);
    const begun = ({ lines }) => Number(lines.size > 0);
    const newest = [...conversations.values()].sort((a, b) => begun(b) - begun(a) || b.changed_at - a.changed_at)[0];
    if (conversations.has(wanted)) choose(wanted);
    else if (newest && wide.matches) choose(newest.id);
  },
  ended: () => reloadNotice(word("signed-out")),
});

document.addEventListener("visibilitychange", () => !document.hidden && markSeen());

// ── One conversation ─────────────────────────────────────────────────────────────────────────────────────────────

function choose(id) {
  const next = conversations.get(id) ?? null;
  if (next === chosen) return;
  const before = chosen;
  if (before) before.draft = composer.draft("");
  chosen = next;
  document.body.classList.toggle("in-room", Boolean(chosen));
  $("room").hidden = !chosen;
  $("choose").hidden = Boolean(chosen);
  if (before) draw(before);
  if (!chosen) return;
  composer.draft(chosen.draft);
  $("who").textContent = chosen.name;
  log.reset();
  for (const line of [...chosen.lines.values()].sort((a, b) => a.id - b.id)) log.put(line);
  log.live();
  markSeen();
  draw(chosen);
  loadOlder(chosen);
}

/** The stream begins a window back; what is older is asked for once, when somebody looks. */
async function loadOlder(conversation) {
  if (conversation.whole) return;
  conversation.whole = true;
  let after = 0;
  for (;;) {
    const address = `/desk/history?conversation=${encodeURIComponent(conversation.id)}&after=${after}`;
    const answer = await fetch(address).then((response) => (response.ok ? response.json() : null), () => null);
    if (!answer) conversation.whole = false;
    if (!answer?.lines.length) return;
    answer.lines.forEach(take);
    after = answer.lines.at(-1).seq;
  }
}

addEventListener("hashchange", () => choose(location.hash.slice(1)));
$("conversations").addEventListener("click", (event) => {
  if (!event.target.closest("a")) return;
  // On a phone the list is gone now: the heading tells where we are. Else people go on to write.
  setTimeout(() => (wide.matches ? composer.text : $("who")).focus(), 0);
});
$("back").addEventListener("click", () => {
  const link = chosen?.row.link;
  history.replaceState(null, "", location.pathname);
  choose("");
  link?.focus();
});

// ── Money ────────────────────────────────────────────────────────────────────────────────────────────────────────

function askForMoney() {
  const deliver = (command) => composer.deliver(command, "unasked");
  openPayForm(commands[0].opening, deliver, (answer) => composer.say(answer));
}

$("ask").addEventListener("click", askForMoney);

/** A button of a card. One opened question is one act, however often its button is clicked. */
function press(action, card) {
  const where = { conversation: chosen.id, token: action.token };
  let act = actId();
  const ask = async (amount) => {
    const answer = await send("/desk/press", { client_id: act, ...where, amount });
    // Answered: what is pressed after this is another act.
    if (answer.ack === "say") act = actId();
    return answer;
  };
  const say = (answer) => composer.say(answer);
  if (action.confirm || action.asks) openQuestion(action, ask, say);
  else ask(null).then(say);
}

/** Brings a payment's card into view, in whichever conversation it stands. */
function showPayment(code) {
  if (log.showCard(code)) return;
  const has = (conversation) => [...conversation.lines.values()].some((line) => line.body.card?.code === code);
  const where = [...conversations.values()].find(has);
  if (!where) return;
  location.hash = where.id;
  choose(where.id);
  log.showCard(code);
}

$("leave").addEventListener("click", async () => {
  await fetch("/desk/leave", { method: "POST" }).catch(() => null);
  location.reload();
});
