// Connects to the server as a browser does with each pattern: EventSource, WebSocket, a fetch that streams,
// fetches that poll. Each connector follows `topics` from the cursor `since` until it is closed, and tells:
//   opened()             subscribed from here on
//   request()            one more request was sent
//   event(event)         one event, parsed
//   place(cursor, reset) everything up to here has come; `reset`: the history did not reach back to `since`
//   lost(why, next)      the connection is gone: the browser comes back by `itself`, the page is to do so
//                        `later`, or `never`

/** The longest line that is read; a body has at most 8 MiB, and its text may be six times as long. */
const longestLine = 50 * 1024 ** 2;

export const connectors = {
  polling: (options) => polls(options, { path: '/poll', everyMs: options.facts.everyMs }),
  'long-polling': (options) =>
    polls(options, { path: '/long-poll', everyMs: 0, holdMs: options.facts.holdMs }),
  'http-stream': stream,
  sse: eventSource,
  websocket: socket,
};

function address(path, topics, since, more = {}) {
  return `${path}?${new URLSearchParams({ topics, since, ...more })}`;
}

function eventSource({ topics, since, on }) {
  // An EventSource can send no header of ours: the first request says in its address where it begins. When it
  // comes back by itself, Last-Event-ID says more.
  const source = new EventSource(address('/events', topics, since));
  on.request();
  source.addEventListener('open', () => on.opened());
  source.addEventListener('message', ({ data, lastEventId }) => {
    on.event(JSON.parse(data));
    on.place(lastEventId, false);
  });
  source.addEventListener('reset', ({ data }) => on.place(JSON.parse(data).cursor, true));
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) return on.lost('the server ended it for good', 'never');
    on.request();
    on.lost('the browser comes back by itself', 'itself');
  });
  return { close: () => source.close() };
}

function stream({ topics, since, on }) {
  const leaving = new AbortController();
  const take = (line) => {
    if (line === '') return;
    const message = JSON.parse(line);
    if ('id' in message) on.event(message);
    else if (message.stream === 'open') on.opened();
    if (message.cursor ?? message.id) on.place(message.cursor ?? message.id, message.reset === true);
  };
  const read = async () => {
    on.request();
    const response = await fetch(address('/stream', topics, since), { signal: leaving.signal });
    if (!response.ok) throw new Error(await refusal(response));
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new Error('the server ended the stream');
      const lines = (rest + value).split('\n');
      rest = lines.pop();
      if (rest.length > longestLine) throw new Error('a line is too long');
      lines.forEach(take);
    }
  };
  read().catch((error) => leaving.signal.aborted || on.lost(error.message, 'later'));
  return { close: () => leaving.abort() };
}

function polls({ topics, since, facts, on }, { path, everyMs, holdMs }) {
  const leaving = new AbortController();
  const { signal } = leaving;
  let place = since;
  let etag = '';
  let first = true;
  const ask = async () => {
    // The first request is answered at once, so that it shows that we are connected.
    const more = holdMs === undefined ? {} : { hold: String(first ? 0 : holdMs) };
    on.request();
    const response = await fetch(address(path, topics, place, more), {
      signal,
      cache: 'no-store',
      headers: facts.conditional && etag !== '' ? { 'if-none-match': etag } : {},
    });
    if (!response.ok && response.status !== 304) throw new Error(await refusal(response));
    if (first) on.opened();
    first = false;
    if (response.status === 304) return;
    if (response.status === 204) {
      place = response.headers.get('pushbench-cursor') ?? place;
      return on.place(place, false);
    }
    const { cursor, events, reset } = await response.json();
    if (signal.aborted) return;
    etag = response.headers.get('etag') ?? '';
    place = cursor;
    on.place(place, reset === true);
    events.forEach((event) => on.event(event));
  };
  const run = async () => {
    while (!signal.aborted) {
      await ask();
      if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  };
  run().catch((error) => signal.aborted || on.lost(error.message, 'later'));
  return { close: () => leaving.abort() };
}

function socket({ topics, since, on }) {
  const ws = new WebSocket(new URL(address('/ws', topics, since), location.href.replace(/^http/, 'ws')));
  const answers = new Map();
  let left = false;
  let sent = 0;
  on.request();
  ws.addEventListener('message', ({ data }) => {
    if (left) return;
    const message = JSON.parse(data);
    const ref = message.ack ?? message.refused;
    if (ref !== undefined) {
      answers.get(ref)?.(message);
      answers.delete(ref);
      return;
    }
    if ('id' in message) on.event(message);
    else if (message.socket === 'open') on.opened();
    on.place(message.cursor ?? message.id, message.reset === true);
  });
  ws.addEventListener('close', ({ code, reason }) => {
    for (const settle of answers.values()) settle({ reason: 'the connection closed before the answer' });
    if (!left) on.lost(`closed with code ${code}${reason && ` (${reason})`}`, 'later');
  });
  return {
    close() {
      left = true;
      ws.close();
    },
    /** Publishes on the connection itself; resolves with the acknowledgement, or the reason of a refusal. */
    publish(topic, body, stamps) {
      if (ws.readyState !== WebSocket.OPEN) return undefined;
      const ref = ++sent;
      return new Promise((resolve) => {
        answers.set(ref, resolve);
        ws.send(JSON.stringify({ publish: topic, ref, ...stamps, body }));
      });
    },
  };
}

/** What an answer that is not a success says. */
export async function refusal(response) {
  const text = await response.text();
  try {
    return JSON.parse(text).message;
  } catch {
    return `the server answered ${response.status}`;
  }
}
