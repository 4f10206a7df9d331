// Words, elements and requests. Everything a person reads becomes text here, never markup.

const words = JSON.parse(document.body.dataset.words);
const lang = document.documentElement.lang || undefined;

/** The sentence `key`, with `{name}` filled in from `values`. */
export function word(key, values = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export const $ = (id) => document.getElementById(id);

/** An element. Attributes beginning with `on` are listeners; `null` and `false` are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An id for one thing somebody does. The same act is sent under the same id, so that it counts once. */
export function actId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Sends JSON and gives the answer: what the desk says (`ack`: talk, say, same, form, busy), or `refused` with a
 * sentence and perhaps seconds to wait, or `lost` when nobody knows whether it arrived. Never throws.
 */
export async function send(url, body) {
  let response;
  try {
    const headers = { "content-type": "application/json" };
    response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  } catch {
    return { ack: "lost", text: word("not-sent") };
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  const otherwise = word(response.status === 404 ? "signed-out" : "not-sent");
  return { ack: "refused", text: answer?.text ?? otherwise, wait: answer?.retry_after_secs ?? 0 };
}

const clock = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(lang, { weekday: "long", day: "numeric", month: "long" });
const whole = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "short" });

export const timeText = (ms) => clock.format(ms);
export const dayText = (ms) => calendar.format(ms);
export const wholeText = (ms) => whole.format(ms);

/** For a list: the time if it was today, else the date. */
export function shortText(ms) {
  const today = new Date().toDateString() === new Date(ms).toDateString();
  return today ? clock.format(ms) : new Intl.DateTimeFormat(lang, { day: "numeric", month: "short" }).format(ms);
}

/** A web address that may stand behind a link, or `null`. */
export function webAddress(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}
