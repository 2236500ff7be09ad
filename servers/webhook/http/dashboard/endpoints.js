// Shows the table of endpoints and what can be done with each.

import { api, query } from './api.js';
import { $, cell, count, el, notice } from './dom.js';
import { openRemoval, openRotation } from './forms.js';
import { openRecovery } from './recovery.js';

const pageSize = 50;
const known = new Map();
let nextCursor;
let shown = pageSize;
let reading;

/** @returns the endpoint's URL by its id, or the id while it is not known */
export const urlOf = (id) => known.get(id)?.url ?? id;

/** Whether its circuit breaker holds its deliveries back. */
export const isHeldBack = (id) => known.has(id) && known.get(id).breaker !== 'closed';

/** Reads the endpoints again. Calls while one is under way share it. */
export function refreshEndpoints() {
  return (reading ??= read().finally(() => (reading = undefined)));
}

async function read() {
  try {
    const { webhooks, nextCursor: next } = await api(
      'GET',
      `/webhooks${query({ limit: Math.min(shown, 500) })}`,
    );
    nextCursor = next;
    known.clear();
    for (const endpoint of webhooks) known.set(endpoint.id, endpoint);
    render();
  } catch (error) {
    notice(error.message);
  }
}

function render() {
  const body = $('endpoints');
  const rows = new Map([...body.children].map((row) => [row.dataset.id, row]));
  for (const endpoint of known.values()) {
    const text = JSON.stringify(endpoint);
    const old = rows.get(endpoint.id);
    rows.delete(endpoint.id);
    if (old?.dataset.text === text) continue; // so that focus stays on a button
    const fresh = rowOf(endpoint, text);
    const focused = old?.contains(document.activeElement) ? document.activeElement.dataset.action : undefined;
    if (old) old.replaceWith(fresh);
    else body.append(fresh);
    fresh.querySelector(`[data-action="${focused}"]`)?.focus();
  }
  for (const gone of rows.values()) gone.remove();
  $('no-endpoints').hidden = known.size > 0;
  $('more-endpoints').hidden = nextCursor === undefined || shown >= 500;
  renderFilter();
  const topics = new Set([...known.values()].flatMap(({ events }) => events));
  $('topics').replaceChildren(...[...topics].sort().map((topic) => el('option', { value: topic })));
}

function renderFilter() {
  const select = $('filters').elements.endpoint;
  const ids = ['', ...known.keys()];
  if (ids.join() === [...select.options].map(({ value }) => value).join()) return;
  const chosen = select.value;
  select.replaceChildren(
    el('option', { value: '' }, 'all'),
    ...[...known.values()].map(({ id, url }) => el('option', { value: id }, `${url} (${id})`)),
  );
  select.value = ids.includes(chosen) ? chosen : '';
}

function rowOf(endpoint, text) {
  const { id, url, events, disabled, breaker, pending, delivered, givenUp, lastFailure } = endpoint;
  const on = disabled === undefined;
  const button = (action, label, run, enabled = true) =>
    el(
      'button',
      {
        type: 'button',
        'data-action': action,
        'aria-label': `${label}: ${url} ${id}`,
        disabled: !enabled,
        onclick: () => act(run),
      },
      label,
    );
  return el(
    'tr',
    { role: 'row', 'data-id': id, 'data-text': text },
    el('th', { role: 'rowheader', scope: 'row', class: 'wide whole' }, url, el('small', { class: 'id' }, id)),
    cell(
      { class: 'wide whole' },
      events.slice(0, 8).join(', '),
      events.length > 8 ? ` and ${events.length - 8} more` : null,
    ),
    cell({ class: 'whole' }, stateOf(disabled, breaker)),
    ...[
      ['pending', pending],
      ['delivered', delivered],
      ['given up', givenUp],
    ].map(([label, n]) => cell({ class: 'number', 'data-label': label }, count(n))),
    cell({ class: 'wide whole', 'data-label': 'last failure' }, lastFailure ?? ''),
    cell(
      { class: 'whole' },
      el(
        'div',
        { class: 'buttons' },
        button(
          'test',
          'Send test',
          async () => {
            const { id: delivery } = await api('POST', `/webhooks/${id}/test`);
            return `Test event sent to ${url}: delivery ${delivery}`;
          },
          on,
        ),
        button('recover', 'Recover', () => openRecovery(endpoint), on),
        on
          ? button('toggle', 'Disable', () => change(id, false))
          : button('toggle', 'Enable', () => change(id, true)),
        button('rotate', 'Rotate secret', () => openRotation(endpoint)),
        button('remove', 'Remove', () => openRemoval(endpoint)),
      ),
    ),
  );
}

function stateOf(disabled, breaker) {
  if (disabled !== undefined) return el('span', { class: 'bad' }, 'disabled', el('small', {}, disabled));
  if (breaker === 'closed') return el('span', { class: 'good' }, 'enabled');
  return el('span', { class: 'wait' }, 'enabled', el('small', {}, `circuit ${breaker}`));
}

async function change(id, enabled) {
  await api('PATCH', `/webhooks/${id}`, { enabled });
  return `${urlOf(id)} is ${enabled ? 'enabled' : 'disabled'}`;
}

async function act(run) {
  try {
    const said = await run();
    if (said) notice(said);
  } catch (error) {
    notice(error.message);
  }
  await refreshEndpoints();
}

$('more-endpoints').addEventListener('click', () => {
  shown += 150;
  void refreshEndpoints();
});
