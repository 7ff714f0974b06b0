// format.js - numbers, sizes, rates, times and money as people read them.
//
// A number that is not known is a dash, never a zero. Times are told relative to the
// control plane's clock, with the exact one in the title, and grow older by themselves.
import { h, setText } from "./dom.js";
import { serverNow } from "./api.js";

const NONE = "–";
const plain = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const SIZES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

function known(value) {
  return value !== null && value !== undefined && Number.isFinite(value);
}

export function count(value) {
  return known(value) ? plain.format(value) : NONE;
}

// Three digits that count: 1.25, 12.5, 125; never a 0 behind the point.
function digits(value) {
  return value >= 100 ? plain.format(value) : value.toFixed(value >= 10 ? 1 : 2).replace(/\.?0+$/, "");
}

// The same with the 0s, so that columns of sizes stand in line.
function threeDigits(value) {
  return value >= 100 ? plain.format(value) : value.toFixed(value >= 10 ? 1 : 2);
}

// "12.5 MiB"; units are those of 1,024.
export function bytes(value) {
  if (!known(value)) return NONE;
  let size = Math.abs(value);
  let unit = 0;
  while (size >= 999.5 && unit < SIZES.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${value < 0 ? "−" : ""}${unit === 0 ? plain.format(size) : threeDigits(size)} ${SIZES[unit]}`;
}

export function bytesRate(value) {
  return known(value) ? `${bytes(value)}/s` : NONE;
}

// "1,234 /s", "0.4 /s", "12.5k /s".
export function rate(value) {
  if (!known(value)) return NONE;
  return value > 0 && value < 0.01 ? "< 0.01 /s" : `${short(value)} /s`;
}

// A number in a small place: 950, 12.5k, 3.1M.
export function short(value) {
  if (!known(value)) return NONE;
  let size = Math.abs(value);
  const units = ["", "k", "M", "G", "T"];
  let unit = 0;
  while (size >= 9999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return (value < 0 ? "−" : "") + (unit > 0 || size < 100 ? digits(size) : plain.format(size)) + units[unit];
}

// "3 ms", "1.2 s", "4 min", "2 h 5 min", "3 d 4 h".
export function duration(ms) {
  if (!known(ms)) return NONE;
  const s = ms / 1000;
  if (ms < 1000) return `${digits(ms)} ms`;
  if (s < 60) return `${digits(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min${s < 600 && Math.floor(s % 60) > 0 ? ` ${Math.floor(s % 60)} s` : ""}`;
  const hours = Math.floor(s / 3600);
  if (hours < 48) return `${hours} h${Math.floor((s % 3600) / 60) > 0 ? ` ${Math.floor((s % 3600) / 60)} min` : ""}`;
  return `${plain.format(Math.floor(hours / 24))} d${hours % 24 > 0 && hours < 240 ? ` ${hours % 24} h` : ""}`;
}

// "$0.0042", "$12.30", "$1,234".
export function money(value) {
  if (!known(value)) return NONE;
  const size = Math.abs(value);
  const places = size >= 1000 ? 0 : size >= 0.1 || size === 0 ? 2 : 4;
  if (size > 0 && size < 0.00005) return "< $0.0001";
  return new Intl.NumberFormat("en-US", {
    style: "currency", currency: "USD", minimumFractionDigits: places, maximumFractionDigits: places,
  }).format(value);
}

export function exactTime(ms) {
  return new Date(ms).toLocaleString("en-GB", {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
    timeZoneName: "short",
  });
}

// "now", "12 s ago", "in 3 d".
export function relative(ms) {
  const ago = serverNow() - ms;
  const size = Math.abs(ago);
  if (size < 2500) return "now";
  const text = size < 60000 ? `${Math.round(size / 1000)} s`
    : size < 3600000 ? `${Math.floor(size / 60000)} min`
    : size < 172800000 ? `${Math.floor(size / 3600000)} h`
    : `${plain.format(Math.floor(size / 86400000))} d`;
  return ago > 0 ? `${text} ago` : `in ${text}`;
}

// A <time> that keeps its text true; a dash for null.
export function time(ms) {
  if (!known(ms)) return h("span", null, NONE);
  return h("time", { datetime: new Date(ms).toISOString(), title: exactTime(ms), "data-at": ms }, relative(ms));
}

// All <time> on the page grow older.
export function startClock() {
  setInterval(() => {
    if (document.visibilityState !== "visible") return;
    for (const element of document.querySelectorAll("time[data-at]"))
      setText(element, relative(Number(element.dataset.at)));
  }, 1000);
}

export function plural(number, one, many) {
  return `${count(number)} ${number === 1 ? one : many || `${one}s`}`;
}
