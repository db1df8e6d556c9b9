// What an operator says: trip and reset, with name, reason and key, after the consequence was read.

import { byId, keyed, make, mark, say, show } from "./dom.js";
import { bearer, problemOf } from "./stream.js";

const PATIENCE = 15000;
const LATCHED = "It stays so until a named operator resets it.";
const TRIPS = {
  warning: (whom) => `${whom} is marked with a warning. Nothing is stopped.`,
  throttle: (whom) => `Orders of ${whom} that add risk are made smaller until the throttle ends.`,
  halt: (whom) => `${whom} takes no new risk: only orders that reduce are let through, and working orders are to be `
    + `cancelled. ${LATCHED}`,
  liquidate: (whom) => `${whom} takes no new risk, working orders are to be cancelled, and its positions are to be `
    + `flattened. ${LATCHED}`,
};

/** The request of the last attempt: the same words asked again must not be carried out twice. */
let last = { words: "", id: "" };

/** Make the panel work; returns what is to be told the scopes of each state. */
export function operatorPanel() {
  const form = byId("operator");
  form.addEventListener("change", arrange);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const order = orderOf();
    if (!order) return;
    if (await confirmed(order)) await send(order);
  });
  arrange();
  return ({ scopes }) => {
    const strategies = scopes.map(({ scope }) => scope).filter((scope) => scope !== "account");
    keyed(byId("scopes"), strategies, (scope) => scope, (scope) => {
      const element = make("option", "", scope);
      element.value = scope;
      return { element };
    }, () => {});
  };
}

const action = () => (byId("reset").checked ? "reset" : "trip");

function arrange() {
  const reset = action() === "reset";
  show(byId("severity-field"), !reset);
  show(byId("anew-field"), reset);
  say(byId("ask"), reset ? "Reset …" : "Trip …");
  byId("ask").classList.toggle("danger", !reset);
}

/** Return what was asked for, or null where something is missing; the browser then points at it. */
function orderOf() {
  for (const field of [byId("name"), byId("reason"), byId("key")]) {
    field.setCustomValidity(field.value.trim() ? "" : "This is needed, in words.");
  }
  if (!byId("operator").reportValidity()) return null;
  const reset = action() === "reset";
  return {
    action: action(), operator: byId("name").value.trim(), reason: byId("reason").value.trim(),
    scope: byId("scope").value, value: reset ? "" : byId("severity").value, measure_anew: reset && byId("anew").checked,
  };
}

for (const id of ["name", "reason", "key"]) {
  byId(id).addEventListener("input", ({ target }) => target.setCustomValidity(""));
}

function consequence({ action: what, scope, value, measure_anew: anew }) {
  const whom = scope === "account" ? "The account" : scope;
  if (what === "trip") return TRIPS[value](whom);
  const named = scope === "account" ? "the account" : scope;
  const losses = anew ? "What was lost until now is accepted, and losses are measured from here."
    : "What is still true stays tripped.";
  const halted = document.documentElement.dataset.state === "halted";
  const then = halted ? "trading stays HALTED until rpm gate clear-integrity" : "it may take new risk again";
  return `The kill switches of ${named} are cleared: ${then}. ${losses}`;
}

/** Ask whether it is meant. A trip is one key away; a reset has to be chosen. */
function confirmed(order) {
  const dialog = byId("confirm");
  const whom = order.scope === "account" ? "the account" : order.scope;
  const title = order.action === "reset" ? `Reset ${whom}` : `Trip ${whom}: ${order.value}`;
  say(byId("confirm-title"), `${title}?`);
  say(byId("confirm-text"), consequence(order));
  say(byId("go"), title);
  byId("go").classList.toggle("danger", order.action === "trip");
  dialog.showModal();
  byId(order.action === "trip" ? "go" : "back").focus();
  return new Promise((resolve) => {
    let meant = false;
    byId("go").onclick = () => { meant = true; dialog.close(); };
    byId("back").onclick = () => dialog.close();
    dialog.addEventListener("close", () => resolve(meant), { once: true });
  });
}

function drawn() {
  // randomUUID is there on secure pages alone.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function send({ action: what, ...order }) {
  const said = JSON.stringify([what, order]);
  if (last.words !== said) last = { words: said, id: drawn() };
  tell("waiting", "Asking the gate …");
  mark(byId("ask"), "disabled", "");
  try {
    const response = await fetch(`v1/operator/${what}`, {
      method: "POST", cache: "no-store", signal: AbortSignal.timeout(PATIENCE),
      headers: { "Content-Type": "application/json", ...bearer(byId("key").value.trim()) },
      body: JSON.stringify({ ...order, request_id: last.id }),
    });
    if (!response.ok) throw await problemOf(response);
    done(what, order, await response.json());
  } catch (error) {
    tell("problem", error.status === undefined
      ? "No answer came: it is not known whether it was carried out. Look at the state; asking again with the same "
        + "words does nothing twice."
      : `Refused. ${error.message}`);
  } finally {
    mark(byId("ask"), "disabled", null);
  }
}

function done(what, { scope, value, operator }, answer) {
  const number = answer.sequence === null || answer.sequence === undefined ? "" : ` as command ${answer.sequence}`;
  const state = answer.trading_state ? ` Trading is ${answer.trading_state.toUpperCase()}.` : "";
  tell("done", `Done: ${what} ${value ? `${value} ` : ""}of ${scope} by ${operator}, recorded${number}.${state}`);
  last = { words: "", id: "" };
  // The next order is another one: it needs its own reason, and the key does not wait for whoever passes by.
  byId("key").value = byId("reason").value = "";
  byId("anew").checked = false;
}

function tell(kind, text) {
  mark(byId("answer"), "data-kind", kind);
  say(byId("answer"), text);
}
