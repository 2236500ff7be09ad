// Asks in dialogs what changes something: registering an endpoint, publishing an event, rotating a secret,
// removing an endpoint. What goes wrong is said in the dialog, which stays; a secret is shown once.

import { api, publish } from './api.js';
import { $, notice, time } from './dom.js';

/** Said when an endpoint has come or gone; main.js reads them again. */
const changed = () => document.dispatchEvent(new Event('endpoints-changed'));

/** The endpoint that the open dialog is about. */
let chosen;
/** Names the event of the open dialog: sent twice because the answer was lost, it is published once. */
let eventKey;

/**
 * Has a dialog's form do something.
 * @param act gets the form's fields; the dialog closes when it is done
 */
function onSubmit(name, act) {
  const form = $(`${name}-form`);
  const wrong = form.querySelector('[role=alert]');
  const [submit] = form.querySelectorAll('button.primary');
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    wrong.textContent = '';
    submit.disabled = true;
    try {
      const said = await act(form.elements);
      $(name).close();
      said();
      form.reset();
    } catch (error) {
      wrong.textContent = error.message;
    } finally {
      submit.disabled = false;
    }
  });
  form.querySelector('[data-close]').addEventListener('click', () => $(name).close());
  // Nothing of a secret that was typed stays in the page.
  $(name).addEventListener('close', () => {
    if (form.elements.secret) form.elements.secret.value = '';
    wrong.textContent = '';
  });
}

function open(name, endpoint) {
  chosen = endpoint;
  const of = $(name).querySelector('[data-of]');
  if (of) of.textContent = `${endpoint.url} (${endpoint.id})`;
  $(name).showModal();
}

export const openRotation = (endpoint) => open('rotate', endpoint);
export const openRemoval = (endpoint) => open('remove', endpoint);

/** Shows a secret until the dialog is closed. @param more what else there is to say */
function showSecret(title, secret, ...more) {
  $('secret-title').textContent = title;
  $('secret-text').textContent = secret;
  $('secret-more').replaceChildren(...more);
  $('secret').showModal();
}
$('secret').addEventListener('close', () => ($('secret-text').textContent = ''));
$('secret-copy').addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText($('secret-text').textContent);
    notice('The secret is copied');
  } catch {
    getSelection().selectAllChildren($('secret-text'));
    notice('Copy the selected text: this page may not use the clipboard');
  }
});

$('register-open').addEventListener('click', () => $('register').showModal());
onSubmit('register', async ({ url, events, secret }) => {
  const topics = events.value.split(/[\s,]+/).filter((topic) => topic !== '');
  const given = secret.value.trim();
  const { id, secret: made } = await api('POST', '/webhooks', {
    url: url.value.trim(),
    events: topics,
    ...(given !== '' && { secret: given }),
  });
  changed();
  return () =>
    made === undefined
      ? notice(`${url.value} registered as ${id}`)
      : showSecret('Registered: the secret', made, `It signs deliveries to ${url.value} (${id}).`);
});

$('publish-open').addEventListener('click', () => {
  eventKey = [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
  $('publish').showModal();
});
onSubmit('publish', async ({ topic, body }) => {
  const { id } = await publish(topic.value.trim(), body.value, eventKey);
  return () => notice(`Event ${id} published on ${topic.value.trim()}`);
});

onSubmit('rotate', async ({ secret, overlapS }) => {
  const { id, url } = chosen;
  const given = secret.value.trim();
  const { secret: made, previousUntil } = await api('POST', `/webhooks/${id}/rotate`, {
    overlapS: Number(overlapS.value),
    ...(given !== '' && { secret: given }),
  });
  const until =
    overlapS.value === '0'
      ? ['The old secret has ended.']
      : ['The old secret is good until ', time(previousUntil), '.'];
  return () =>
    made === undefined
      ? notice(`The secret of ${url} is rotated`)
      : showSecret('Rotated: the new secret', made, ...until);
});

onSubmit('remove', async () => {
  const { id, url } = chosen;
  await api('DELETE', `/webhooks/${id}`);
  changed();
  return () => notice(`${url} is removed`);
});
