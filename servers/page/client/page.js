// Shows what a server sends and lets people publish: connection, events with how long they took, and what is
// replayed after the connection was cut. Text goes in as text, never as markup.

import { connectors, refusal } from './connect.js';

const facts = JSON.parse(document.getElementById('facts').textContent);
const $ = (id) => document.getElementById(id);
const mostRows = 200;
const mostSamples = 1000;
const longestShown = 2000;
const longestWaitMs = 10_000;

/** Added to this page's clock it makes the host's, in microseconds, which events are stamped with. */
let hostOffsetUs = 0;
let clockErrorUs = Infinity;
/** Where everything up to has come. */
let cursor = '';
let connection;
let topics = '';
/** `connecting`, `connected`, `lost` (and coming back), `cut` (by the reader), `ended` (by the server). */
let state = 'connecting';
/** Since when the page was away, until when, and what was replayed; undefined once a new event has come. */
let away;
let again; // the timer of the next attempt
let failures = 0;
let wasConnected = false;
const counts = { count: 0, replayed: 0, missed: 0, reconnections: 0, requests: 0 };
const took = [];
let lastSeq = new Map();
let epoch = '';

const hostNowUs = () => Math.round(performance.now() * 1000 + hostOffsetUs);

/** Asks for the host's clock a few times; the shortest exchange tells most. */
async function readClock() {
  let best = Infinity;
  for (let i = 0; i < 5; i++) {
    const from = performance.now();
    const response = await fetch('/clock', { cache: 'no-store' });
    const to = performance.now();
    if (!response.ok) throw new Error(await refusal(response));
    const { nowUs, cursor: newest } = await response.json();
    cursor ||= newest;
    if (to - from >= best) continue;
    best = to - from;
    hostOffsetUs = nowUs - (500 * from + 500 * to);
    clockErrorUs = 500 * best;
  }
  $('note').textContent =
    `Times are from publishing to this page, to within ${milliseconds(clockErrorUs)}: server and browser ` +
    'read different clocks, and the page asked for the difference.';
}

function show(next, text) {
  state = next;
  $('state').dataset.state = next;
  $('state').textContent = text;
  $('cut').textContent = next === 'cut' || next === 'ended' ? 'Reconnect' : 'Cut the connection';
}

function showCounts() {
  for (const [name, value] of Object.entries(counts)) $(name).textContent = String(value);
  const sorted = took.toSorted((a, b) => a - b);
  $('median').textContent = sorted.length === 0 ? '–' : milliseconds(sorted[sorted.length >> 1]);
}

const digits = (value) => String(Number(value.toPrecision(3)));
const milliseconds = (us) => (us < 999_500 ? `${digits(us / 1000)} ms` : `${digits(us / 1e6)} s`);

const on = (mine) => {
  const only =
    (act) =>
    (...given) =>
      connection === mine && act(...given);
  return {
    request: () => {
      counts.requests++;
      showCounts();
    },
    opened: only(() => {
      failures = 0;
      if (wasConnected) counts.reconnections++;
      wasConnected = true;
      show('connected', `Connected, following ${topics}`);
      if (away) {
        away.untilUs = hostNowUs();
        tellReplay();
      }
      showCounts();
    }),
    event: only(takeEvent),
    place: only((place, reset) => {
      cursor = place || cursor;
      if (!reset || !away) return;
      away.reset = true;
      tellReplay();
    }),
    lost: only((why, next) => {
      leave();
      if (next === 'later') return comeBack(why);
      show(next === 'never' ? 'ended' : 'lost', `Lost: ${why}`);
    }),
  };
};

/** What the server accepts from now on until the return counts as replayed. */
function leave() {
  if (away?.untilUs === Infinity) return; // not back yet
  away = {
    fromMs: performance.now(),
    untilUs: Infinity,
    replayed: 0,
    missedBefore: counts.missed,
    reset: false,
  };
}

function comeBack(why) {
  connection = undefined;
  const waitMs = Math.min(longestWaitMs, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
  failures++;
  show('lost', `Lost: ${why}; trying again in ${(waitMs / 1000).toFixed(1)} s`);
  again = setTimeout(connect, waitMs);
}

async function connect() {
  clearTimeout(again);
  close();
  const mine = { close() {} };
  connection = mine;
  show('connecting', 'Connecting');
  try {
    await readClock();
    if (connection !== mine) return;
    Object.assign(mine, connectors[facts.pattern]({ topics, since: cursor, facts, on: on(mine) }));
  } catch (error) {
    if (connection !== mine) return;
    comeBack(error.message);
  }
}

function close() {
  connection?.close();
  connection = undefined;
}

function takeEvent(event) {
  const receivedUs = hostNowUs();
  const { id, topic, seq, planned, accepted } = event;
  // Another life of the server's log, in which all numbers begin again.
  if (id.split('-')[0] !== epoch) lastSeq = new Map();
  epoch = id.split('-')[0];
  const last = lastSeq.get(topic);
  if (last !== undefined && seq > last + 1) counts.missed += seq - last - 1;
  if (last === undefined || seq > last) lastSeq.set(topic, seq);
  const isReplay = away !== undefined && accepted < away.untilUs;
  counts.count++;
  if (isReplay) {
    away.replayed++;
    counts.replayed++;
    tellReplay();
  }
  const us = Math.max(0, receivedUs - planned);
  if (!isReplay) {
    if (took.push(us) > mostSamples) took.shift();
    away = undefined;
  }
  addRow(event, us, isReplay);
  showCounts();
}

function tellReplay() {
  const { fromMs, replayed, missedBefore, reset } = away;
  const s = ((performance.now() - fromMs) / 1000).toFixed(1);
  const events = replayed === 1 ? '1 event that was' : `${replayed} events that were`;
  const missed = counts.missed - missedBefore;
  let missing = reset ? 'its history did not reach back, so more may be missing' : 'nothing is missing';
  if (missed > 0) {
    const which = missed === 1 ? '1 more is' : `${missed} more are`;
    missing = `${which} missing, which its history no longer held`;
  }
  $('outcome').textContent =
    `Back after ${s} s: the server replayed ${events} published meanwhile; ${missing}.`;
}

function addRow({ topic, seq, body, text }, us, isReplay) {
  const el = (name, className, content) => {
    const element = document.createElement(name);
    element.className = className;
    element.textContent = content;
    return element;
  };
  const whole = text ?? JSON.stringify(body);
  const shown =
    whole.length > longestShown ? `${whole.slice(0, longestShown)}… (${whole.length} characters)` : whole;
  const row = document.createElement('li');
  const tookText = el('span', 'took', `after ${milliseconds(us)} `);
  if (isReplay) tookText.append(el('span', 'replay', 'replayed'));
  const now = new Date();
  const clock = `${now.toLocaleTimeString('en-GB', { hour12: false })}.${String(now.getMilliseconds()).padStart(3, '0')}`;
  row.append(el('time', '', clock), el('span', '', `${topic} #${seq}`), tookText, el('code', '', shown));
  $('events').prepend(row);
  if ($('events').childElementCount > mostRows) $('events').lastElementChild.remove();
  $('none').hidden = true;
}

function follow(names) {
  const asked = names.split(',').map((name) => name.trim());
  topics = asked.filter((name) => name !== '').join(',');
  if (topics === '') return;
  $('topics').value = topics;
  history.replaceState(null, '', `?${new URLSearchParams({ topics })}`);
  [cursor, away, failures, wasConnected, lastSeq] = ['', undefined, 0, false, new Map()];
  $('outcome').textContent = '';
  void connect();
}

/** Publishes on the connection where it takes messages, and with a request of its own otherwise. */
async function publish(topic, text) {
  const sentUs = hostNowUs();
  const onSocket = connection?.publish?.(topic, jsonOr(text), { planned: sentUs, sent: sentUs });
  if (onSocket) {
    const { ack, seq, reason } = await onSocket;
    if (ack === undefined) throw new Error(reason);
    return { seq, how: 'over the socket' };
  }
  const stamps = { 'pushbench-planned': String(sentUs), 'pushbench-sent': String(sentUs) };
  const path = `/messages/${encodeURIComponent(topic)}`;
  const headers = { 'content-type': 'text/plain', ...stamps };
  const response = await fetch(path, { method: 'POST', body: text, headers });
  if (response.status !== 201) throw new Error(await refusal(response));
  return { seq: (await response.json()).seq, how: 'by POST' };
}

function jsonOr(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

$('follow').addEventListener('submit', (submitted) => {
  submitted.preventDefault();
  follow($('topics').value);
});
$('cut').addEventListener('click', () => {
  if (state === 'cut' || state === 'ended') return void connect();
  clearTimeout(again);
  close();
  leave();
  show('cut', 'Cut. Publish something, then reconnect');
});
$('publish').addEventListener('submit', async (submitted) => {
  submitted.preventDefault();
  const said = $('published');
  const topic = $('topic').value.trim();
  const from = performance.now();
  try {
    const { seq, how } = await publish(topic, $('body').value);
    const ms = milliseconds((performance.now() - from) * 1000);
    said.className = '';
    said.textContent = `Published ${topic} #${seq} ${how}; acknowledged after ${ms}.`;
  } catch (error) {
    said.className = 'bad';
    said.textContent = `Not published: ${error.message}`;
  }
});

document.title = `${facts.title}: pushbench serve`;
$('title').textContent = facts.title;
$('how').textContent = `${facts.how[0].toUpperCase()}${facts.how.slice(1)}.`;
$('topic').value = 'news';
$('body').value = '{"headline":"it works"}';
for (const { what, command } of facts.commands) {
  const term = document.createElement('dt');
  const line = document.createElement('dd');
  const code = document.createElement('code');
  term.textContent = what;
  code.textContent = command;
  line.append(code);
  $('commands').append(term, line);
}
follow(new URLSearchParams(location.search).get('topics') ?? 'news');
