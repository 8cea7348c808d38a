// Draws the page from its reports, for the chosen filters. It selects rows and writes them; every
// figure comes from the database. The files of this folder are one script, in the order of writing.py.
"use strict";

const HOUR = 3600e3;
const DAY = 24 * HOUR;

const element = (id) => document.getElementById(id);
const known = (value) => value !== null && value !== undefined;
const capital = (text) => text[0].toUpperCase() + text.slice(1);

// ---- writing figures, as orb_learning/formats.py does -------------------------------------------

const grouped = new Intl.NumberFormat("en-US", {maximumFractionDigits: 0});
const magnitude = (value) => Math.floor(Math.log10(Math.abs(value)));

function time(milliseconds, withHour = true) {
  const text = new Date(milliseconds).toISOString();
  return withHour ? `${text.slice(0, 10)} ${text.slice(11, 16)}` : text.slice(0, 10);
}

function significant(value, digits = 3) {
  if (value === 0) return "0";
  const decimals = Math.min(Math.max(digits - 1 - magnitude(value), 0), 6);
  return value.toLocaleString("en-US", {maximumFractionDigits: decimals});
}

function bytes(value) {
  const sign = value < 0 ? "-" : "";
  let rest = Math.abs(value);
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (rest < 1000 || unit === "GB") return `${sign}${significant(rest)} ${unit}`;
    rest /= 1000;
  }
  return "";
}

function money(value) {
  const sign = value < 0 ? "-" : "";
  const size = Math.abs(value);
  if (size === 0) return "$0";
  if (size >= 99.995) return `${sign}$${grouped.format(size)}`;
  if (size >= 0.00995) return `${sign}$${size.toFixed(2)}`;
  return `${sign}$${size.toFixed(1 - magnitude(size))}`;
}

function amount(value) {
  return value < 9.95 ? value.toFixed(1).replace(/\.0$/, "") : grouped.format(value);
}

function duration(value) {
  if (value < 0) return `-${duration(-value)}`;
  if (value === 0) return "0 s";
  if (value < 0.9995) return `${amount(value * 1000)} ms`;
  if (value < 119.5) return `${amount(value)} s`;
  if (value < 7170) return `${amount(value / 60)} min`;
  if (value < 171000) return `${amount(value / 3600)} h`;
  return `${amount(value / 86400)} d`;
}

function rate(value) {
  if (value === 0 || value === 1) return `${100 * value} %`;
  if (value > 0 && value < 0.0005) return "<0.1 %";
  if (value > 0.9995 && value < 1) return ">99.9 %";
  return `${(value * 100).toFixed(1)} %`;
}

function count(value, noun, plural = `${noun}s`) {
  return `${grouped.format(value)} ${value === 1 ? noun : plural}`;
}

const signed = (text) => (text.startsWith("-") ? text : `+${text}`);

const FORMS = {
  text: (value) => String(value),
  count: (value) => grouped.format(value),
  percent: rate,
  points: (value) => value.toFixed(1),
  number: (value) => significant(value),
  seconds: duration,
  megabytes: (value) => `${significant(value)} MB`,
  dollars: money,
  bytes,
  time: (value) => time(value),
  day: (value) => time(value, false),
};
const RIGHT = new Set(["count", "percent", "points", "number", "seconds", "megabytes", "dollars",
  "bytes"]);

function write(value, form) {
  if (known(value)) return FORMS[form](value);
  return RIGHT.has(form) ? "unknown" : "–";
}

// What a text is made of, without what would turn the rest of a line around or is no sign at all.
function visible(value) {
  if (typeof value !== "string") return value;
  return value.replace(/[\t\n\r]/g, " ")
    .replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
}

function distance(milliseconds) {
  const minutes = Math.round(milliseconds / 60e3);
  if (minutes < 1) return "just now";
  if (minutes < 90) return `${minutes} min ago`;
  if (minutes < 48 * 60) return `${Math.round(minutes / 60)} h ago`;
  return `${Math.round(minutes / 60 / 24)} days ago`;
}

// ---- elements -----------------------------------------------------------------------------------

function make(tag, text = "", className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

const strong = (text) => make("strong", text);
const code = (text) => make("code", text);

function button(text, press) {
  const made = make("button", text, "link");
  made.type = "button";
  made.addEventListener("click", press);
  return made;
}
