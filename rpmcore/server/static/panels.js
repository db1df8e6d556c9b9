// What each part of the page shows of a state.

import { bar, byId, fillFrom, fillTo, keyed, lines, make, mark, row, say, show } from "./dom.js";
import * as words from "./words.js";

const SEVERITIES = ["none", "warning", "throttle", "halt", "liquidate"];
const NEAR = 0.8;
const MEANS = {
  active: "New risk may be taken, within the limits.",
  reducing: "Only orders that reduce risk are let through.",
  halted: "Nothing is released. It ends when ledger and book were reconciled: rpm gate clear-integrity.",
};
const SIGNS = {
  active: "\u25cf", reducing: "\u25b2", halted: "\u25a0", approved: "\u2713", cut: "\u25d0", rejected: "\u2715",
  none: "\u2013", warning: "!", throttle: "\u25bd", halt: "\u25b2", liquidate: "\u25a0",
  passed: "\u2713", failed: "\u2715",
};

const worse = (a, b) => SEVERITIES.indexOf(a) > SEVERITIES.indexOf(b);

/** Write a word with its sign, so that neither colour nor shape carries it alone. */
function tag(element, kind, word) {
  mark(element, "data-kind", kind);
  say(element, `${SIGNS[kind] ?? "?"} ${word}`);
}

/** Make a list of texts. */
function items(id, texts) {
  keyed(byId(id), texts, (text) => text, () => ({ element: make("li") }), ({ element }, text) => say(element, text));
}

/** Return why trading is as it is, the worst first. */
export function reasonsOf(state) {
  const found = [];
  if (state.halted) found.push(state.halted);
  if (state.integrity) found.push(state.integrity);
  const tripped = state.scopes.filter((one) => one.severity !== "none");
  const rank = ({ scope, severity }) => (scope === "account" ? SEVERITIES.length : 0) + SEVERITIES.indexOf(severity);
  tripped.sort((a, b) => rank(b) - rank(a));
  for (const { scope, severity, reasons } of tripped) {
    found.push(`${scope}: ${severity.toUpperCase()} – ${reasons.join("; ") || "no reason is known"}`);
  }
  const disabled = state.strategies.filter((one) => one.status === "disabled").map((one) => one.strategy_id);
  const many = words.counted(disabled.length, "strategy", "strategies");
  if (disabled.length) found.push(`${many} disabled for health: ${disabled.join(", ")}`);
  return found.length ? found : ["No kill switch is tripped."];
}

/** The first thing that is seen: is trading on, and if not, why. */
export function banner(state) {
  mark(document.documentElement, "data-state", state.trading_state);
  say(byId("state"), `${SIGNS[state.trading_state] ?? "?"} ${state.trading_state.toUpperCase()}`);
  say(byId("state-means"), MEANS[state.trading_state] ?? "This page does not know this state.");
  items("why", reasonsOf(state));
  const nearest = byUse(state.uses)[0];
  glance("nearest", ...nearestOf(nearest));
  const refused = state.decisions.findLast((one) => one.verdict === "rejected");
  if (refused) {
    const why = `${words.moment(refused.at)} · ${refused.text}`;
    glance("refused", `${asked(refused)}: ${words.plain(refused.reason)}`, why);
  } else {
    glance("refused", "Nothing lately", "");
  }
  const fall = `${words.percent(state.drawdown)} below its peak of ${words.amount(state.peak)}`;
  glance("equity", `${words.amount(state.equity)} ${state.currency}`, fall);
}

function nearestOf(use) {
  if (!use) return ["–", ""];
  const name = words.limitName(use.name);
  if (use.utilisation === null) return [`${name}: not known`, use.observed_reason ?? use.utilisation_reason ?? ""];
  const parts = [use.observed, use.limit].map((value) => words.measure(use.name, value));
  return [`${name}, ${words.percent(use.utilisation, 0)} used`, parts.join(" of ")];
}

function glance(id, first, second) {
  say(byId(id), first);
  say(byId(`${id}-more`), second);
}

/** What the server says about itself that somebody must act on. */
export function notices(state) {
  const server = state.server ?? {};
  const found = (server.ready_reasons ?? []).map((why) => `Not ready: ${why}`);
  if (server.ready === false && !found.length) found.push("The server is not ready.");
  if (server.reload_problem) found.push(`The settings were not reloaded: ${words.told(server.reload_problem)}`);
  if (state.pending) {
    found.push(`${words.counted(state.pending, "request")} of an operator ${state.pending === 1 ? "waits" : "wait"}.`);
  }
  items("notices", found);
  items("badges", [server.dry_run && "dry run: nothing is sent", server.sample && "sample"].filter(Boolean));
  say(byId("ledger"), String(server.ledger ?? state.ledger).split("/").pop());
}

/** What is not known comes first, as the worst. */
function byUse(uses) {
  const rank = (use) => use.utilisation ?? (use.observed === null || use.observed > 0 ? Infinity : 0);
  return [...uses].sort((a, b) => rank(b) - rank(a));
}

const LEVELS = { within: "", near: "! near its limit", over: "\u2715 over its limit" };

export function limits(state) {
  keyed(byId("limits"), byUse(state.uses), (use) => use.name, () => {
    const { element, cells } = row(["", "picture", "number", "number", "number"]);
    return { element, cells, title: lines(cells[0]), fill: bar(cells[1], "whole") };
  }, ({ element, cells, title, fill }, use) => {
    const share = use.utilisation;
    const level = share === null ? "unknown" : share > 1 ? "over" : share >= NEAR ? "near" : "within";
    mark(element, "data-level", level);
    say(title.first, words.limitName(use.name));
    say(title.second, LEVELS[level] ?? use.observed_reason ?? use.utilisation_reason ?? "");
    fillTo(fill, share ?? 1);
    say(cells[2], words.percent(share, 0));
    say(cells[3], words.measure(use.name, use.observed));
    say(cells[4], words.measure(use.name, use.limit));
  });
  const risk = words.percent(state.limits.risk_per_trade, 3);
  say(byId("allowed"), `A trade may risk ${risk} of equity. Leverage and gross exposure follow the regime.`);
}

export function regime(state) {
  const now = state.limits;
  say(byId("regime"), words.plain(state.regime?.name ?? now.regime));
  keyed(byId("steps"), now.steps, (step) => step.name, () => {
    const element = make("li");
    return { element, ...lines(element) };
  }, ({ element, first, second }, step) => {
    mark(element, "data-source", step.source);
    say(first, `${verdictOf(step)}: ${allowedBy(step.result)}`);
    const missing = step.source === "missing";
    const parts = missing ? [step.note, "missing: taken at its worst"] : [measured(step), step.note, step.source];
    say(second, [...parts, step.day].filter(Boolean).join(" · "));
  });
  const pin = now.pin;
  const why = pin?.reason ? `: ${pin.reason}` : "";
  say(byId("pin"), pin ? `Pinned to ${pin.regime} by ${pin.operator}${why}` : "No regime is pinned.");
}

function verdictOf({ name, verdict, multiplier }) {
  return name === "regime" ? `regime ${verdict}` : `${name} ${verdict}, × ${Number(multiplier.toPrecision(3))}`;
}

function allowedBy({ gross_exposure: gross, risk_per_trade: risk }) {
  return `gross ${words.percent(gross, 1)}, risk a trade ${words.percent(risk, 3)}`;
}

function measured(step) {
  if (step.observed === null) return step.observed_reason ?? "";
  const [observed, from] = [step.observed, step.threshold];
  if (step.name === "regime") {
    return `volatility ranks ${observed.toFixed(2)}, volatile from ${from?.toFixed(2) ?? "–"}`;
  }
  if (step.name === "volatility") return `${words.percent(observed)} measured, elevated from ${words.percent(from)}`;
  return "0 is calm, 1 the highest";
}

export function strategies(state) {
  const own = new Map(state.scopes.map((one) => [one.scope, one]));
  const account = own.get("account") ?? { severity: "none", reasons: [] };
  const first = { strategy_id: "account", status: null, multiplier: null, severity: account.severity, reason: "" };
  // What is to say stands in a row of its own: it is longer than a column.
  const rows = [first, ...state.strategies].flatMap((one) => [
    { key: `${one.strategy_id} is`, one }, { key: `${one.strategy_id} because`, one, why: true },
  ]);
  keyed(byId("strategies"), rows, ({ key }) => key, ({ why }) => (why ? whyRow() : scopeRow()), (parts, { one }) => {
    const scope = own.get(one.strategy_id) ?? { severity: one.severity, reasons: [] };
    if (parts.why) {
      const text = [...scope.reasons, one.reason].filter(Boolean).join("; ");
      say(parts.why, text);
      show(parts.element, text !== "");
      return;
    }
    say(parts.cells[0], one.strategy_id);
    mark(parts.health, "data-kind", one.status ?? "none");
    say(parts.health, one.status === null ? "–" : words.plain(one.status));
    say(parts.cells[2], one.multiplier === null ? "–" : String(Number(one.multiplier.toPrecision(3))));
    tag(parts.severity, one.severity, one.severity);
    say(parts.whose, worse(one.severity, scope.severity) ? "of account" : "");
  });
}

function scopeRow() {
  const { element, cells } = row(["name", "", "number", ""]);
  const [health, severity, whose] = [make("span", "tag"), make("span", "tag"), make("span", "second")];
  cells[1].append(health);
  cells[3].append(severity, whose);
  return { element, cells, health, severity, whose };
}

function whyRow() {
  const why = make("td", "second");
  why.colSpan = 4;
  return { element: make("tr", "because", why), why };
}

const asked = (one) => `${one.side} ${words.quantity(one.requested)} ${one.symbol}`;

export function decisions(state) {
  const found = [...state.decisions].reverse();
  show(byId("no-decisions"), !found.length);
  keyed(byId("decisions"), found, (one) => `${state.ledger_id} ${one.sequence}`, (one) => {
    const { element, cells } = row(["time", "", ""]);
    const [when, what, answer] = cells.map(lines);
    const [day, time] = words.moment(one.at).split(" ");
    say(when.first, time ?? "");
    say(when.second, day);
    say(what.first, asked(one));
    say(what.second, one.strategy_id);
    const verdict = make("span", "tag");
    tag(verdict, one.verdict, one.verdict);
    answer.first.append(verdict, ` ${becameOf(one)}`);
    say(answer.second, one.text);
    return { element };
  }, () => {});
}

function becameOf({ verdict, requested, approved, reason, binding }) {
  if (verdict === "rejected") return words.plain(reason ?? binding);
  return verdict === "cut" ? `${words.quantity(requested)} → ${words.quantity(approved)}` : words.quantity(approved);
}

export function book(state) {
  const size = (one) => Math.abs(one.share ?? one.weight ?? Infinity);
  const found = [...state.positions].sort((a, b) => size(b) - size(a) || a.symbol.localeCompare(b.symbol));
  const largest = (name) => Math.max(0, ...found.map((one) => Math.abs(one[name] ?? 0)));
  const [weights, shares] = [largest("weight"), largest("share")];
  show(byId("no-book"), !found.length);
  const unknown = found.find((one) => (one.share ?? null) === null);
  const shared = found.length ? "A share below zero hedges the rest. Shares sum to one." : "";
  say(byId("share-reason"), unknown ? `No risk share: ${unknown.share_reason ?? "not known"}` : shared);
  keyed(byId("book"), found, (one) => `${one.strategy_id}\n${one.symbol}`, () => {
    const { element, cells } = row(["", "number wide", "number", "picture wide", "number", "picture"]);
    const [weight, share] = [bar(cells[3], "middle"), bar(cells[5], "middle risk")];
    return { element, cells, title: lines(cells[0]), weight, share };
  }, ({ cells, title, weight: drawn, share }, one) => {
    say(title.first, one.symbol);
    say(title.second, one.strategy_id);
    say(cells[1], words.quantity(one.quantity));
    say(cells[2], words.signed(one.weight));
    if (one.weight === null) mark(cells[2], "title", one.weight_reason ?? null);
    fillFrom(drawn, one.weight ?? 0, weights);
    say(cells[4], words.signed(one.share ?? null, 1));
    fillFrom(share, one.share ?? 0, shares);
  });
}

export function orders(state) {
  show(byId("no-orders"), !state.orders.length);
  show(byId("orders").closest(".scroll"), state.orders.length > 0);
  keyed(byId("orders"), state.orders, (one) => one.order_id, () => {
    const { element, cells } = row(["", "", "number", "wide"]);
    return { element, cells, title: lines(cells[0]) };
  }, ({ cells, title }, one) => {
    say(title.first, `${one.side} ${words.quantity(one.quantity)} ${one.symbol}`);
    say(title.second, `${one.order_id} · ${one.strategy_id}${one.reducing ? " · reduces" : ""}`);
    say(cells[1], words.plain(one.state));
    say(cells[2], words.quantity(one.filled));
    say(cells[3], one.expires_at === null ? "never: released" : words.moment(one.expires_at));
  });
}

function pairs(list, found) {
  keyed(list, found, ([name]) => name, ([name]) => {
    const value = make("dd");
    return { element: make("div", "", make("dt", "", name), value), value };
  }, ({ value }, [, text]) => say(value, text));
}

export function timing(state) {
  const found = state.decision_time_ms ?? { n: 0 };
  const times = ["median", "p95", "p99", "maximum"];
  pairs(byId("timing"), times.map((name) => [name, words.milliseconds(found[name])]));
  const of = `of the last ${words.counted(found.n, "decision")} of this server`;
  say(byId("timing-note"), found.n ? of : "This server has decided nothing yet.");
}

export function server(state) {
  const told = state.server ?? {};
  pairs(byId("server"), [
    ["Version", told.version ?? "–"],
    ["Running since", told.started_at ? words.stamp(new Date(told.started_at)) : "–"],
    ["Ready", told.ready === undefined ? "–" : told.ready ? "yes" : "no"],
    ["Queue", told.queue ? `${told.queue.depth} of ${told.queue.capacity}` : "–"],
    ["Rollout of capital", words.told(told.rollout)],
    ["Ledger", `${words.amount(state.commands)} commands, ${words.amount(state.records)} records`],
    ["Last command", `${words.moment(state.at)}`],
    ["Last closes", state.last_bar ?? "none"],
    ["Head of the chain", state.head.slice(0, 16)],
    ["Settings", state.config_digest.slice(0, 12)],
    ...(told.sample ? [["Sample", told.sample]] : []),
  ]);
}

/** Crises by their loss; `told` is an answer of the server, `problem` why there is none. */
export function stress(told, problem) {
  const found = [...(told?.scenarios ?? [])].sort((a, b) => b.loss - a.loss);
  const scale = Math.max(0.15, ...found.map((one) => one.loss));
  keyed(byId("stress"), found, (one) => `${one.name} ${one.mode}`, () => {
    const { element, cells } = row(["", "picture", "number", ""]);
    const verdict = make("span", "tag");
    cells[3].append(verdict);
    const why = make("span", "second");
    cells[3].append(why);
    return { element, cells, title: lines(cells[0]), verdict, fill: bar(cells[1], "whole"), why };
  }, ({ element, cells, title, verdict, fill, why }, one) => {
    mark(element, "data-level", one.passed ? "within" : "over");
    say(title.first, one.title ?? one.name);
    say(title.second, words.plain(one.mode));
    fillTo(fill, one.loss / scale);
    say(cells[2], words.percent(one.loss));
    tag(verdict, one.passed ? "passed" : "failed", one.passed ? "passed" : "failed");
    say(why, one.failed_criteria.join("; "));
  });
  const when = told?.revision === undefined ? "" : `; the book of command ${words.amount(told.revision)}`;
  const note = found.length ? `One step, losses as fractions of equity${when}.` : "No crisis was computed.";
  say(byId("stress-note"), problem ? `Not computed: ${problem}` : note);
}
