// Runs in a page of a browser and tries everything that a page can, one after the other: to read the address
// by fetch, as a script (not where one could load that does not end), as an EventSource and by a socket, and
// to publish by the socket, by fetch and by a form.

globalThis.attack = async (base, path, { scripts }) => {
  const patienceMs = 30_000;
  const within = (promise) =>
    Promise.race([promise, new Promise((resolve) => setTimeout(() => resolve('silence'), patienceMs))]);
  const address = base + path;
  const leaving = new AbortController();
  const fetched = await within(
    fetch(address, { signal: leaving.signal }).then(
      ({ ok, status }) => (ok ? 'read' : `status ${status}`),
      () => 'refused',
    ),
  );
  leaving.abort();
  const script = document.createElement('script');
  const scripted =
    scripts &&
    (await within(
      new Promise((resolve) => {
        script.onload = () => resolve('loaded');
        script.onerror = () => resolve('refused');
        script.src = address;
        document.head.append(script);
      }),
    ));
  const source = new EventSource(`${base}/events?topics=news`);
  const streamed = await within(
    new Promise((resolve) => {
      source.onopen = () => resolve('read');
      source.onerror = () => resolve('refused');
    }),
  );
  source.close();
  const answers = [];
  const ws = new WebSocket(`${base.replace('http', 'ws')}/ws?topics=news`);
  const socket = await within(
    new Promise((resolve) => {
      ws.onmessage = ({ data }) => {
        answers.push(String(data));
        if (answers.length === 1) ws.send('{"publish":"news","ref":1,"body":"by a socket"}');
        else resolve('read');
      };
      ws.onclose = () => resolve('refused');
    }),
  );
  ws.close();

  for (const where of ['/topics/news', '/messages/news', '/webhooks']) {
    const body = where === '/webhooks' ? '{"url":"http://127.0.0.1:9/","events":["news"]}' : '"evil"';
    await fetch(base + where, { method: 'POST', body, mode: 'no-cors' }).catch(() => {});
    await fetch(base + where, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    }).catch(() => {});
  }
  await within(
    new Promise((resolve) => {
      const frame = document.createElement('iframe');
      frame.name = 'answer';
      const form = document.createElement('form');
      Object.assign(form, {
        action: `${base}/topics/news`,
        method: 'POST',
        enctype: 'text/plain',
        target: frame.name,
      });
      const field = document.createElement('input');
      Object.assign(field, { name: '{"a":"', value: '"}' });
      form.append(field);
      document.body.append(frame, form);
      frame.onload = () => resolve('posted');
      form.submit();
    }),
  );
  return { fetched, scripted, streamed, socket, answers };
};
