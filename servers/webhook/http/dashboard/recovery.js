// Asks in a dialog which stretch of time to recover for an endpoint.

import { api } from './api.js';
import { $, count, notice } from './dom.js';

let chosen;

/** @param endpoint as the list shows it */
export function openRecovery(endpoint) {
  chosen = endpoint;
  $('recovery-title').textContent = `Recover ${endpoint.url}`;
  const form = $('recovery-form');
  form.elements.since.value = local(new Date(Date.now() - 3_600_000));
  form.elements.until.value = '';
  $('recovery').showModal();
}

/** As `datetime-local` takes it: the reader's own time. */
function local(at) {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

$('recovery').addEventListener('close', async () => {
  if ($('recovery').returnValue !== 'recover') return;
  $('recovery').returnValue = '';
  const { since, until } = $('recovery-form').elements;
  try {
    const range = {
      since: new Date(since.value).toISOString(),
      ...(until.value && { until: new Date(until.value).toISOString() }),
    };
    const { recovered, more } = await api('POST', `/webhooks/${chosen.id}/recover`, range);
    notice(
      `${count(recovered)} ${recovered === 1 ? 'delivery' : 'deliveries'} to ${chosen.url} queued again` +
        (more ? '; there are more, recover once more' : ''),
    );
  } catch (error) {
    notice(error.message);
  }
});
