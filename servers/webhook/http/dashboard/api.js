// Calls the HTTP API for the page, and follows its stream.

/** @returns the answer's JSON; undefined when it is empty. Throws an Error with the server's own sentence. */
export function api(method, path, body) {
  return ask(method, path, body && { 'content-type': 'application/json' }, body && JSON.stringify(body));
}

/** Publishes a text as it is. With the same key it is the same event, however often it is sent. */
export function publish(topic, text, key) {
  return ask('POST', `/topics/${encodeURIComponent(topic)}`, { 'idempotency-key': `"${key}"` }, text);
}

async function ask(method, path, headers, body) {
  const response = await fetch(path, {
    method,
    ...(headers && { headers }),
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  const answer = text === '' ? undefined : JSON.parse(text);
  if (!response.ok) throw new Error(answer?.message ?? `the server answered ${response.status}`);
  return answer;
}

/** A query string of what is not empty. */
export function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '');
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

/**
 * Follows the server's stream. The browser reconnects by itself.
 * @param onMessage gets each message
 * @param onState gets `on` when the stream is open, `off` while it is not
 * @param onReset is called when messages were missed
 */
export function follow({ onMessage, onState, onReset }) {
  const source = new EventSource('/webhooks/stream');
  source.addEventListener('open', () => onState('on'));
  source.addEventListener('error', () => onState('off'));
  source.addEventListener('reset', onReset);
  source.addEventListener('message', ({ data }) => onMessage(JSON.parse(data)));
}
