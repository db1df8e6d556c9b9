// The page: follows the state of the server, shows it, and says when what it shows is old.

import { byId, mark, say, show } from "./dom.js";
import { operatorPanel } from "./operator.js";
import * as panels from "./panels.js";
import { Stream, bearer, problemOf } from "./stream.js";
import * as words from "./words.js";

// A server tells its state every so many seconds, also when nothing happens; it may be late by as much as the slack.
const HEARTBEAT = 15;
const TICK = 1;
const SLACK = 2;
// And a connection is made anew where no byte came for so much longer.
const LONGER = 10;
// A server that repeats one and the same state for so long, and two ticks more, has something that stands still.
const STILL = 10;
const STRESS_EVERY = 60000;
// A screen reader is told of decisions at most this often.
const TOLD_EVERY = 10000;
const KEPT = "rpm.key";
const PARTS = [
  panels.banner, panels.notices, panels.limits, panels.regime, panels.strategies, panels.decisions, panels.book,
  panels.orders, panels.timing, panels.server,
];

let key = kept() ?? "";
let state = null;
let seenAt = null;
let newAt = null;
let problem = null;
let stressAt = -Infinity;
let toldAt = -Infinity;

const stream = new Stream("v1/events", {
  key: () => key,
  onEvent(name, data) {
    if (name === "state") received(data);
  },
  onLost(error) {
    problem = error;
    if (error.status === 401 || error.status === 403) askForKey(error);
    connection();
  },
});

function received(data) {
  let next;
  try {
    next = JSON.parse(data);
    for (const part of PARTS) part(next);
    scopes(next);
  } catch (error) {
    // A page that shows half of one state and half of another must not look live.
    problem = new Error(`The last state cannot be shown (${error.message})`);
    connection();
    return;
  }
  announce(state, next);
  seenAt = moment();
  if (state?.published_at !== next.published_at) newAt = seenAt;
  state = next;
  problem = null;
  stream.silence = 1000 * (heartbeat() + LONGER);
  show(byId("gate-key"), false);
  connection();
  if (performance.now() - stressAt > STRESS_EVERY) askForStress();
}

/** Tell those who do not see the page what changed: at once what stops trading, politely the rest. */
function announce(before, now) {
  const word = `Trading is ${now.trading_state.toUpperCase()}. ${panels.reasonsOf(now)[0]}`;
  if (before?.trading_state !== now.trading_state) {
    say(byId(now.trading_state === "active" ? "polite" : "assertive"), word);
    if (now.trading_state === "active") say(byId("assertive"), "");
    return;
  }
  const last = before.decisions.at(-1)?.sequence ?? -1;
  const fresh = now.decisions.filter((one) => one.sequence > last);
  if (!fresh.length || performance.now() - toldAt < TOLD_EVERY) return;
  toldAt = performance.now();
  const one = fresh.at(-1);
  const asked = `${one.side} ${words.quantity(one.requested)} ${one.symbol}`;
  say(byId("polite"), `${words.counted(fresh.length, "new decision")}: ${asked} ${one.verdict}, ${one.text}`);
}

/** Return what the tab keeps, or keep it; null lets it go. A browser may allow none of it. */
function kept(value) {
  try {
    if (value === null) sessionStorage.removeItem(KEPT);
    else if (value !== undefined) sessionStorage.setItem(KEPT, value);
    return sessionStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

const heartbeat = () => state.server?.heartbeat_seconds ?? HEARTBEAT;

/** A moment on both clocks: one stands still while a machine sleeps, the other can be set back. */
const moment = () => ({ steady: performance.now(), wall: Date.now() });
const since = ({ steady, wall }) => Math.max(performance.now() - steady, Date.now() - wall);

/** Return why what is shown is not live, in words; empty where it is. */
function notLive() {
  if (problem) return problem.message;
  if (seenAt === null) return "The server has said nothing yet";
  if (since(seenAt) > 1000 * (heartbeat() + SLACK)) return "The server says nothing";
  const tick = state.server?.tick_seconds ?? TICK;
  if (since(newAt) > 1000 * (heartbeat() + 2 * tick + STILL)) return "The server repeats an old state";
  return "";
}

/** Say whether what is shown is live, and if not, how old it is. */
function connection() {
  const why = notLive();
  const locked = problem?.status === 401 || problem?.status === 403;
  const how = !why ? "live" : locked ? "locked" : state === null ? "waiting" : "lost";
  mark(document.documentElement, "data-connection", how);
  show(byId("stale"), why !== "" && (state !== null || (problem !== null && !locked)));
  say(byId("state-label"), why && state ? "Trading was" : "Trading is");
  const word = state === null ? "" : state.trading_state.toUpperCase();
  document.title = why ? `not live – ${word} – rpm` : `${word} – rpm`;
  if (!why) {
    const when = words.clock(new Date(state.published_at));
    say(byId("connection"), `Live · state of ${when} UTC · command ${words.amount(state.revision)}`);
    if (byId("assertive").textContent.startsWith("Connection")) say(byId("assertive"), "");
    return;
  }
  say(byId("connection"), locked ? "A key is needed" : state === null ? "Connecting …" : "Not live");
  const next = locked ? "." : "; trying again.";
  if (state === null) {
    say(byId("stale-title"), "No connection.");
    say(byId("stale-text"), `${why}${next}`);
    return;
  }
  say(byId("state-means"), "What it is now cannot be told from here.");
  const lost = `Connection lost since ${words.clock(new Date(newAt.wall))} UTC.`;
  say(byId("stale-title"), lost);
  say(byId("stale-text"), `What you see is ${words.age(since(newAt))} old. ${why}${next}`);
  say(byId("assertive"), `${lost} What you see is old.`);
}

function askForKey(error) {
  show(byId("gate-key"), true);
  say(byId("key-problem"), key ? error.message : "");
  if (document.activeElement === document.body) byId("read-key").focus();
  key = "";
  kept(null);
}

byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  key = byId("read-key").value.trim();
  byId("read-key").value = "";
  if (byId("keep-key").checked) kept(key);
  problem = null;
  stream.again();
});

async function askForStress() {
  stressAt = performance.now();
  try {
    const response = await fetch("v1/stress", { headers: bearer(key), cache: "no-store" });
    if (!response.ok) throw await problemOf(response);
    panels.stress(await response.json(), null);
  } catch (error) {
    panels.stress(null, error.status === undefined ? "the server cannot be reached" : error.message);
  }
}

const scopes = operatorPanel();
setInterval(connection, 1000);
stream.again();
