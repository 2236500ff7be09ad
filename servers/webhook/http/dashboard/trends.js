// Draws how attempts went in the last hour, minute by minute: the share that succeeded, and the latency of
// answers. Minutes without attempts are left empty.

import { api } from './api.js';
import { $, cell, count, el, notice, span, time } from './dom.js';

const minutes = 60;
const width = 600;
const height = 70;
const slot = width / minutes;
const soonMs = 2000;
/** The window moves on though nothing happens. */
const everyMs = 30_000;
let due;

/** Reads them again, a moment after something has happened. */
export function trendsSoon() {
  due ??= setTimeout(() => {
    due = undefined;
    void refreshTrends();
  }, soonMs);
}
setInterval(trendsSoon, everyMs);

export async function refreshTrends() {
  try {
    const { bucketMs, buckets } = await api('GET', '/webhooks/trend');
    const newestMs = Math.max(...buckets.map(({ from }) => Date.parse(from)), -Infinity);
    // The clock of the server decides, which may run faster than this one.
    const lastMs = Math.max(newestMs, Math.floor(Date.now() / bucketMs) * bucketMs);
    const placed = buckets
      .map((bucket) => ({ ...bucket, at: minutes - 1 - (lastMs - Date.parse(bucket.from)) / bucketMs }))
      .filter(({ at }) => at >= 0);
    drawSuccess(placed);
    drawLatency(placed);
    $('trend-rows').replaceChildren(...placed.toReversed().map(rowOf));
    $('trend-details').hidden = placed.length === 0;
  } catch (error) {
    notice(error.message);
  }
}

function drawSuccess(buckets) {
  const attempts = sum(buckets, 'attempts');
  const succeeded = sum(buckets, 'succeeded');
  $('success-caption').textContent =
    attempts === 0
      ? 'Success rate: no attempts yet'
      : `Success rate: ${percent(succeeded / attempts)} of ${count(attempts)} ${attempts === 1 ? 'attempt' : 'attempts'}`;
  const bars = buckets.flatMap((bucket) => {
    const x = bucket.at * slot + 1;
    const good = (bucket.succeeded / bucket.attempts) * height;
    const bar = (name, y, h) => shape('rect', { class: name, x, y, width: slot - 2, height: h });
    return [
      ...(good > 0 ? [bar('ok', height - good, good)] : []),
      ...(good < height ? [bar('failed', 1, Math.max(1, height - good - 1))] : []),
    ];
  });
  draw('success-trend', 'Success rate by minute', bars, ['an hour ago', 'now']);
}

function drawLatency(buckets) {
  const timed = buckets.filter(({ answered }) => answered > 0);
  const most = Math.max(...timed.map(({ p95Ms }) => p95Ms), 0);
  const last = timed.at(-1);
  $('latency-caption').replaceChildren(
    ...(last === undefined
      ? ['Latency: no answers yet']
      : [
          'Latency, newest minute: ',
          el('span', { class: 'key' }, `p50 ${span(last.p50Ms)}`),
          ' ',
          el('span', { class: 'key p95' }, `p95 ${span(last.p95Ms)}`),
        ]),
  );
  const lines = ['p95', 'p50'].map((name) =>
    shape('path', { class: name, d: pathOf(timed, (bucket) => bucket[`${name}Ms`] / (most || 1)) }),
  );
  draw('latency-trend', 'Latency by minute, p50 and p95', lines, [
    'an hour ago',
    last === undefined ? '' : `top: ${span(most)}`,
    'now',
  ]);
}

/** A line through neighbouring minutes; a minute that stands alone is a short stroke. */
function pathOf(buckets, share) {
  let path = '';
  let before;
  for (const bucket of buckets) {
    const y = (height - 2 - share(bucket) * (height - 4)).toFixed(1);
    const x = (bucket.at + 0.5) * slot;
    path += before === bucket.at - 1 ? `L${x} ${y}` : `M${x - slot / 3} ${y}L${x} ${y}`;
    before = bucket.at;
  }
  return path;
}

function draw(id, label, shapes, ends) {
  const base = shape('line', { class: 'base', x1: 0, x2: width, y1: height, y2: height });
  const drawing = shape(
    'svg',
    { viewBox: `0 0 ${width} ${height + 1}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
    ...shapes,
    base,
  );
  $(id).replaceChildren(drawing, el('p', { class: 'ends' }, ...ends.map((text) => el('span', {}, text))));
}

function shape(name, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function rowOf({ from, attempts, succeeded, answered, p50Ms, p95Ms }) {
  const number = (label, text) => cell({ class: 'number', 'data-label': label }, text);
  return el(
    'tr',
    { role: 'row' },
    el('th', { role: 'rowheader', scope: 'row' }, time(from)),
    number('attempts', count(attempts)),
    number('succeeded', count(succeeded)),
    number('answered', count(answered)),
    number('p50', p50Ms === undefined ? '–' : span(p50Ms)),
    number('p95', p95Ms === undefined ? '–' : span(p95Ms)),
  );
}

const sum = (buckets, name) => buckets.reduce((total, bucket) => total + bucket[name], 0);
/** 99.96 % is not all of them. */
const percent = (share) =>
  `${new Intl.NumberFormat('en', { maximumFractionDigits: 1, roundingMode: 'trunc' }).format(share * 100)} %`;
