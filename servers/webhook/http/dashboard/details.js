// Shows all that is known of one delivery in a dialog: its body, each attempt and what it was answered.

import { api } from './api.js';
import { $, classOf, count, el, notice, span, time } from './dom.js';
import { isHeldBack, urlOf } from './endpoints.js';

let shownId;

export async function openDetails(id) {
  shownId = id;
  await show();
  if (shownId === id && !$('details').open) $('details').showModal();
}

/** Shows the delivery again when it is the one that is open. */
export function noteAttempt(id) {
  if ($('details').open && shownId === id) void show();
}

async function show() {
  const id = shownId;
  try {
    const delivery = await api('GET', `/webhooks/deliveries/${id}`);
    if (id === shownId) render(delivery);
  } catch (error) {
    notice(error.message);
    shownId = undefined;
  }
}

function render({
  id,
  endpoint,
  event,
  topic,
  state,
  attempts,
  createdAt,
  settledAt,
  nextAttemptAt,
  body,
  attemptLog,
}) {
  $('details-title').textContent = `Delivery ${id}`;
  const facts = [
    ['State', el('span', { class: classOf(state) }, state)],
    ['Endpoint', `${urlOf(endpoint)} (${endpoint})`],
    ['Event', `${event} on ${topic}`],
    ['Created', time(createdAt)],
    ['Attempts', count(attempts)],
    ...(nextAttemptAt
      ? [
          [
            'Next due',
            el(
              'span',
              {},
              time(nextAttemptAt),
              isHeldBack(endpoint) ? ', when the circuit is closed again' : null,
            ),
          ],
        ]
      : []),
    ...(settledAt ? [['Settled', time(settledAt)]] : []),
  ];
  $('details-facts').replaceChildren(
    ...facts.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]),
  );
  $('attempts').replaceChildren(...attemptLog.map(attemptOf));
  if (attemptLog.length === 0) $('attempts').replaceChildren(el('li', { class: 'dim' }, 'none yet'));
  $('details-body').textContent = body;
  $('replay').disabled = state === 'pending';
  $('replay').title = state === 'pending' ? 'it will be tried again by itself' : '';
}

function attemptOf({ attempt, at, latencyMs, status, failure, answer, truncated, nextAttemptAt }) {
  const ok = status >= 200 && status < 300;
  return el(
    'li',
    { value: attempt },
    el(
      'p',
      {},
      time(at),
      ' · ',
      el('span', { class: ok ? 'good' : 'bad' }, status === undefined ? failure : `status ${status}`),
      ` · ${span(latencyMs)}`,
      ...(nextAttemptAt ? [' · next attempt ', time(nextAttemptAt)] : []),
    ),
    answer === ''
      ? null
      : el(
          'pre',
          { tabindex: 0, 'aria-label': `Answer to attempt ${attempt}` },
          truncated ? `${answer}… (truncated)` : answer,
        ),
  );
}

$('replay').addEventListener('click', async () => {
  try {
    await api('POST', `/webhooks/deliveries/${shownId}/replay`);
    notice(`Delivery ${shownId} queued again`);
  } catch (error) {
    notice(error.message);
  }
  await show();
});
$('details').addEventListener('close', () => (shownId = undefined));
