// The two dialogs of the desk: asking for money, and what a card's button asks back.

import { $, word } from "./dom.js";

/** Opens a dialog; its close buttons close it. `submit()` says what is wrong, or nothing when it is done. */
function open(dialog, submit) {
  const form = dialog.querySelector("form");
  const wrong = dialog.querySelector(".wrong");
  const button = dialog.querySelector("[type=submit]");
  wrong.hidden = true;
  dialog.querySelector("[value=close]").onclick = () => dialog.close();
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    const problem = await submit(form.elements);
    button.disabled = false;
    wrong.hidden = !problem;
    wrong.textContent = problem ?? "";
    if (!problem) dialog.close();
  };
  dialog.showModal();
}

/** Text that stays one text: a quotation mark inside would end it. */
function quoted(text) {
  return `"${text.trim().replace(/["“”„]/g, "'")}"`;
}

const FIELDS = ["amount", "currency", "what", "email", "note"];

/** The command that the payment form stands for. */
export function payCommand(opening, { amount, currency, what, email, note }) {
  const parts = [opening, amount.trim(), currency.trim().toUpperCase()];
  if (what.trim()) parts.push(quoted(what));
  if (email.trim()) parts.push(`email:${email.trim()}`);
  if (note.trim()) parts.push(`note:${quoted(note.replace(/\s+/g, " "))}`);
  return parts.join(" ");
}

/** Asks for money. `deliver(command)` gives the desk's answer; `say(answer)` shows it once the form is gone. */
export function openPayForm(opening, deliver, say) {
  const dialog = $("pay");
  open(dialog, async (fields) => {
    const values = Object.fromEntries(FIELDS.map((name) => [name, fields[name].value]));
    const answer = await deliver(payCommand(opening, values));
    // Without a code nothing was made: the sentence says what to change, and the form is still there to change it.
    const problem = answer.ack !== "same" && !answer.code;
    if (problem) return answer.text;
    for (const name of FIELDS.filter((name) => name !== "currency")) fields[name].value = "";
    say(answer);
    return null;
  });
  dialog.querySelector("[name=amount]").focus();
}

/** Asks what a button needs to know. `press(amount)` gives the desk's answer. */
export function openQuestion(action, press, say) {
  const dialog = $("question");
  const amount = dialog.querySelector("[name=amount]");
  const asks = action.asks !== null && action.asks !== undefined;
  $("question-title").textContent = action.label;
  $("question-text").textContent = action.confirm ?? "";
  dialog.querySelector("[type=submit]").textContent = asks ? action.label : word("yes");
  amount.closest("label").hidden = !asks;
  amount.required = asks;
  amount.value = asks ? action.asks : "";
  open(dialog, async () => {
    const answer = await press(asks ? amount.value : null);
    const problem = answer.ack !== "say" || (asks && !answer.code);
    if (problem) return answer.text;
    say(answer);
    return null;
  });
  if (asks) amount.select();
}
