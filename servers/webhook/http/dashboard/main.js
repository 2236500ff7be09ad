// Puts the page together: reads everything once, then follows the stream.

import { api, follow } from './api.js';
import { noteDelivery, refreshDeliveries } from './deliveries.js';
import { noteAttempt } from './details.js';
import { $, count, notice, span } from './dom.js';
import { refreshEndpoints } from './endpoints.js';
import { refreshTrends, trendsSoon } from './trends.js';
import './forms.js';

/** The endpoints' own counts are read this long after something happened, not for each thing. */
const endpointsEveryMs = 1000;
let due;

function endpointsSoon() {
  due ??= setTimeout(() => {
    due = undefined;
    void refreshEndpoints();
  }, endpointsEveryMs);
}

function showStats({ depth, underWay, oldestAgeMs, endpoints, delivered, deadLetters, attemptsPerDelivery }) {
  const { enabled, disabled, open } = endpoints;
  const text = {
    depth: count(depth),
    oldest: depth === 0 ? '–' : span(oldestAgeMs),
    'under-way': count(underWay),
    delivered: count(delivered),
    'dead-letters': count(deadLetters),
    'per-delivery': attemptsPerDelivery === undefined ? '–' : count(attemptsPerDelivery),
    'endpoints-count': [
      `${count(enabled)} on`,
      disabled > 0 && `${count(disabled)} off`,
      open > 0 && `${count(open)} circuit${open === 1 ? '' : 's'} open`,
    ]
      .filter(Boolean)
      .join(', '),
  };
  for (const [id, value] of Object.entries(text)) if ($(id).textContent !== value) $(id).textContent = value;
  $('show-dead').hidden = deadLetters === 0;
}

async function readAll() {
  try {
    showStats(await api('GET', '/webhooks/stats'));
  } catch (error) {
    notice(error.message);
  }
  await refreshEndpoints(); // first, for the deliveries show their URLs
  await refreshDeliveries();
  await refreshTrends();
}

let wasOff = false;

follow({
  onState(state) {
    $('live').className = state;
    $('live').textContent = state === 'on' ? 'live' : 'not connected, trying again';
    if (state === 'on' && wasOff) void readAll();
    wasOff = state === 'off';
  },
  onReset: () => void readAll(),
  onMessage(message) {
    if (message.kind === 'stats') {
      showStats(message.stats);
    } else if (message.kind === 'attempt') {
      noteDelivery(message.delivery);
      noteAttempt(message.delivery.id);
      endpointsSoon();
      trendsSoon();
    } else {
      endpointsSoon();
    }
  },
});
document.addEventListener('endpoints-changed', () => void refreshEndpoints());
void readAll();
