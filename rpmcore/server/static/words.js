// Numbers and times in words: true minus signs, units, UTC.

const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const exact = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 8 });
const MINUS = "\u2212";
const NAMES = {
  gross_exposure: "Gross", leverage: "Leverage", net_exposure: "Net", volatility: "Volatility, a year",
  value_at_risk: "VaR, one day", expected_shortfall: "CVaR, one day",
};

/** Return a fraction as per cent. */
export function percent(value, digits = 2) {
  if (value === null || value === undefined) return "–";
  const size = 100 * Math.abs(value);
  const text = size.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${value < 0 && /[1-9]/.test(text) ? MINUS : ""}${text}\u202f%`;
}

/** Return a fraction as per cent with its sign. */
export function signed(value, digits = 2) {
  return value > 0 ? `+${percent(value, digits)}` : percent(value, digits);
}

/** Return money without decimals. */
export function amount(value) {
  return value === null || value === undefined ? "–" : whole.format(value).replace("-", MINUS);
}

/** Return a number of units with only the decimals that it has. */
export function quantity(value) {
  return value === null || value === undefined ? "?" : exact.format(value).replace("-", MINUS);
}

/** Return a measure in its own form: a multiple for leverage, per cent for the others. */
export function measure(name, value) {
  if (value === null || value === undefined) return "–";
  return name === "leverage" ? `${value.toFixed(2)}\u202f×` : percent(value);
}

/** Return the name of a limit for people. */
export function limitName(name) {
  return NAMES[name] || plain(name);
}

/** Return a name of the program as words. */
export function plain(name) {
  return String(name ?? "").replaceAll("_", " ");
}

/** Return UTC nanoseconds as day and time; what comes after milliseconds is no matter here. */
export function moment(at) {
  return at === null || at === undefined ? "–" : stamp(new Date(at / 1e6));
}

/** Return a date as day and time in UTC. */
export function stamp(date) {
  return Number.isNaN(date.getTime()) ? "–" : date.toISOString().slice(0, 19).replace("T", " ");
}

/** Return the time of a date in UTC. */
export function clock(date) {
  return stamp(date).slice(11);
}

/** Return milliseconds with three digits that count. */
export function milliseconds(value) {
  if (value === null || value === undefined) return "–";
  const text = value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
  return `${text}\u202fms`;
}

/** Return an age in words that people say. */
export function age(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** Return a count with its noun. */
export function counted(n, one, many = `${one}s`) {
  return `${n} ${n === 1 ? one : many}`;
}

/** Return what may be a text, a number, or something with parts, in words. */
export function told(value) {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "number") return value <= 1 ? percent(value, 0) : exact.format(value);
  if (typeof value !== "object") return String(value);
  return Object.entries(value).map(([name, one]) => `${plain(name)} ${told(one)}`).join(", ");
}
