// Makes and finds elements for the page. Text goes in as text, never as markup: what a receiver answered is
// shown, not run.

/** @returns the element with this id; every id the scripts ask for stands in index.html */
export const $ = (id) => document.getElementById(id);

/** An element with its attributes (`on...` are listeners) and children; null and undefined are left out. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A cell of a table. On a narrow page rows are cards without column titles, and `data-label` stands before the cell. */
export const cell = (attributes, ...children) => el('td', { role: 'cell', ...attributes }, ...children);

let noticeTimer;

/** Says something at the foot of the page for a while; screen readers say it too. */
export function notice(text) {
  $('notice').textContent = text;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => ($('notice').textContent = ''), 6000);
}

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });
export const count = (n) => number.format(n);

/** A span of time in its two largest units at most. */
export function span(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.round(s)} s`;
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ];
  const first = units.findIndex(([, size]) => s >= size);
  const parts = [];
  let left = Math.round(s);
  for (const [unit, size] of units.slice(first, first + 2)) {
    if (left >= size) parts.push(`${Math.floor(left / size)} ${unit}`);
    left %= size;
  }
  return parts.join(' ');
}

/** The time of day, with the day when it is another; the whole stands in the title. */
export function time(iso) {
  const at = new Date(iso);
  const today = at.toDateString() === new Date().toDateString();
  const text = at.toLocaleTimeString('en-GB', { hour12: false });
  return el(
    'time',
    { datetime: iso, title: iso },
    today ? text : `${at.toLocaleDateString('en-CA')} ${text}`,
  );
}

/** The colour of a delivery's state. */
export const classOf = (state) =>
  ({ delivered: 'good', exhausted: 'bad', pending: 'wait', cancelled: 'dim' })[state];
