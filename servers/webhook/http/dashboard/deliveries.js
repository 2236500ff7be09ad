// Shows the table of deliveries: reads it once, then keeps it up by the stream. Many that happen at once are
// drawn together, and only so many rows are kept.

import { api, query } from './api.js';
import { openDetails } from './details.js';
import { $, cell, classOf, count, el, notice, time } from './dom.js';
import { urlOf } from './endpoints.js';

const pageSize = 50;
/** Rows of the table; what is older is asked for again when it is wanted. */
const maxRows = 200;
const drawEveryMs = 200;

const filters = $('filters').elements;
const body = $('deliveries');
/** What came by the stream since the last drawing, by id. */
const waiting = new Map();
let drawing;
let nextCursor;
let readings = 0;

/** Reads the newest again. */
export async function refreshDeliveries() {
  const reading = ++readings;
  waiting.clear();
  try {
    const page = await api('GET', `/webhooks/deliveries${query({ ...filter(), limit: pageSize })}`);
    if (reading !== readings) return; // the filters have changed meanwhile
    nextCursor = page.nextCursor;
    body.replaceChildren(...page.deliveries.map((delivery) => rowOf(delivery)));
    showEnds();
  } catch (error) {
    notice(error.message);
  }
}

/** A delivery as it is now. */
export function noteDelivery(delivery) {
  if (!filters.follow.checked) return;
  waiting.set(delivery.id, delivery);
  // The newest are what a reader sees.
  if (waiting.size > maxRows) waiting.delete(waiting.keys().next().value);
  drawing ??= setTimeout(draw, drawEveryMs);
}

function draw() {
  drawing = undefined;
  const rows = new Map([...body.children].map((row) => [row.dataset.id, row]));
  for (const delivery of waiting.values()) {
    const old = rows.get(delivery.id);
    if (!passes(delivery)) {
      old?.remove();
      continue;
    }
    const fresh = rowOf(delivery, true);
    const focused = old?.contains(document.activeElement);
    if (old) old.replaceWith(fresh);
    else place(fresh);
    if (focused) fresh.querySelector('button').focus();
  }
  waiting.clear();
  while (body.children.length > maxRows) body.lastElementChild.remove();
  showEnds();
}

/** Newest first, as the list has it; a replay of an old one is not among the rows and comes to its place. */
function place(row) {
  const id = Number(row.dataset.id);
  for (const other of body.children) {
    if (Number(other.dataset.id) < id) return void other.before(row);
  }
  if (nextCursor === undefined) body.append(row);
}

function showEnds() {
  const isFiltered = Object.values(filter()).some((value) => value !== '');
  $('no-deliveries').textContent = isFiltered ? 'No matches.' : 'No deliveries yet.';
  $('no-deliveries').hidden = body.children.length > 0;
  $('more-deliveries').hidden = nextCursor === undefined || body.children.length >= maxRows;
}

function filter() {
  return { endpoint: filters.endpoint.value, state: filters.state.value, event: filters.event.value.trim() };
}

function passes({ endpoint, state, event }) {
  const wanted = filter();
  return (
    (!wanted.endpoint || wanted.endpoint === endpoint) &&
    (!wanted.state || wanted.state === state) &&
    (!wanted.event || wanted.event === event)
  );
}

function rowOf(delivery, fresh = false) {
  const { id, topic, event, endpoint, state, attempts, createdAt, lastStatus, lastFailure, nextAttemptAt } =
    delivery;
  return el(
    'tr',
    { role: 'row', 'data-id': id, ...(fresh && { class: 'fresh' }) },
    el(
      'th',
      { role: 'rowheader', scope: 'row' },
      el(
        'button',
        {
          type: 'button',
          class: 'link',
          'aria-label': `Details of delivery ${id}`,
          onclick: () => openDetails(id),
        },
        id,
      ),
    ),
    cell({}, time(createdAt)),
    cell({}, topic),
    cell({ class: 'id' }, event),
    cell({ class: 'wide whole' }, urlOf(endpoint)),
    cell({ class: `early ${classOf(state)}` }, state),
    cell({ class: 'number', 'data-label': 'attempts' }, count(attempts)),
    cell({ class: 'wide' }, lastStatus === undefined ? (lastFailure ?? '') : `status ${lastStatus}`),
    cell({ 'data-label': 'next due' }, nextAttemptAt === undefined ? '' : time(nextAttemptAt)),
  );
}

$('show-dead').addEventListener('click', () => {
  filters.endpoint.value = '';
  filters.event.value = '';
  filters.state.value = 'exhausted';
  void refreshDeliveries();
  $('deliveries-title').scrollIntoView();
  filters.state.focus({ preventScroll: true });
});
$('filters').addEventListener('submit', (event) => event.preventDefault());
$('filters').addEventListener('change', () => void refreshDeliveries());
$('more-deliveries').addEventListener('click', async () => {
  const reading = readings;
  try {
    const page = await api(
      'GET',
      `/webhooks/deliveries${query({ ...filter(), limit: pageSize, cursor: nextCursor })}`,
    );
    if (reading !== readings) return;
    nextCursor = page.nextCursor;
    const present = new Set([...body.children].map((row) => row.dataset.id));
    body.append(...page.deliveries.filter(({ id }) => !present.has(id)).map((delivery) => rowOf(delivery)));
    showEnds();
  } catch (error) {
    notice(error.message);
  }
});
