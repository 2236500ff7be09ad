// Captures a real exchange with each reference server, byte by byte off a socket, and puts it into the
// pattern's page: `node scripts/capture-wire.ts`. What differs from one capture to the next (dates, ports,
// the epoch, the clock) is written the same each time, and lengths and signatures are made to fit; a test
// compares pages and servers.

import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { patterns, type PatternName } from '../core/pattern/registry.ts';
import { defaultLimits } from '../core/scenario/scenario.ts';
import { schemes } from '../core/signature/schemes.ts';
import { startServer, type RunningServer } from '../servers/start.ts';

type Line = { by: '#' | '>' | '<'; text: string };

const docs = new URL('../docs/patterns/', import.meta.url);
export const pageOf = (pattern: PatternName): URL => new URL(`${pattern}.md`, docs);
const block = /(<!-- exchange -->\n```\n)[\s\S]*?(```\n<!-- \/exchange -->)/;

/** The secret of the webhook page, so that a reader can check the signature. */
export const exampleSecret = 'whsec_cHVzaGJlbmNoLWRvY3VtZW50YXRpb24tZXhhbXBsZQ==';
export const exampleTimestampS = 1_795_435_200;
const exampleDate = 'Mon, 23 Nov 2026 12:00:00 GMT';
const patienceMs = 10_000;

/** A page with the exchange as it is now. */
export function withExchange(page: string, exchange: string): string {
  return page.replace(block, (_, begin: string, end: string) => `${begin}${exchange}${end}`);
}

export function exchangeIn(page: string): string | undefined {
  return block
    .exec(page)?.[0]
    .split('\n')
    .slice(2, -2)
    .map((line) => `${line}\n`)
    .join('');
}

/**
 * A conversation with the pattern's server: `>` is sent to it, `<` comes from it; for webhooks it
 * is the server that asks.
 */
export async function capture(pattern: PatternName): Promise<string> {
  const lines: Line[] = [];
  const options = pattern === 'webhook' ? { retries: ['20ms'], jitter: '0%' } : {};
  const server = await startServer({
    pattern,
    options: patterns[pattern].options.parse(options),
    limits: defaultLimits,
    seed: 1,
  });
  try {
    await scripts[pattern](server, lines);
  } finally {
    await server.close();
  }
  return lines
    .map(({ by, text }) =>
      text
        .replace(/\r?\n$/, '')
        .split(/\r?\n/)
        .map((line) => `${by} ${line}`.trimEnd())
        .join('\n'),
    )
    .join('\n')
    .concat('\n');
}

const scripts: Record<PatternName, (server: RunningServer, lines: Line[]) => Promise<void>> = {
  async polling(server, lines) {
    const client = await dial(server, lines);
    client.note('the first poll asks where to begin');
    client.say(get('/poll?topics=news'));
    const cursor = await client.heard(/"events":\[\]}$/, /"cursor":"([^"]+)"/);
    client.note('nothing new');
    const etag = `"${cursor.replace(/\d+$/, '0')}"`;
    client.say(get(`/poll?topics=news&since=${cursor}`, { 'If-None-Match': etag }));
    await client.heard(/^HTTP\/1\.1 304[\s\S]*\r\n\r\n$/);
    await publish(server);
    client.note('an event was published; the next poll brings it');
    client.say(get(`/poll?topics=news&since=${cursor}`, { 'If-None-Match': etag }));
    await client.heard(/"it works"}}]}$/);
    client.end();
  },
  async 'long-polling'(server, lines) {
    const client = await dial(server, lines);
    client.note('the first request asks where to begin');
    client.say(get('/long-poll?topics=news'));
    const cursor = await client.heard(/"events":\[\]}$/, /"cursor":"([^"]+)"/);
    client.note('the second is held until there is an event');
    client.say(get(`/long-poll?topics=news&since=${cursor}`));
    while (server.subscribers() === 0) await client.pause();
    await publish(server);
    const next = await client.heard(/"it works"}}]}$/, /"cursor":"([^"]+)"/);
    client.note('nothing happens for as long as the client allows: 50 ms here');
    client.say(get(`/long-poll?topics=news&since=${next}&hold=50`));
    await client.heard(/^HTTP\/1\.1 204[\s\S]*\r\n\r\n$/);
    client.end();
  },
  async 'http-stream'(server, lines) {
    const client = await dial(server, lines);
    client.say(get('/stream?topics=news'));
    await client.heard(/"stream":"open"[^\n]*\n\r\n$/);
    await publish(server);
    await client.heard(/"it works"}}\n\r\n$/);
    client.note('and so on, a chunk for each event');
    client.end();
  },
  async sse(server, lines) {
    const client = await dial(server, lines);
    client.say(get('/events?topics=news', { Accept: 'text/event-stream' }));
    await client.heard(/: open\n\n\r\n$/);
    await publish(server);
    const id = await client.heard(/"it works"}}\n\n\r\n$/, /id: (\S+)\ndata/);
    client.end();
    await publish(server);
    client.note('the connection broke, and an event was published meanwhile; a browser comes back by itself');
    const again = await dial(server, lines);
    again.say(get('/events?topics=news', { Accept: 'text/event-stream', 'Last-Event-ID': id }));
    await again.heard(/"it works"}}\n\n\r\n$/);
    again.end();
  },
  async websocket(server, lines) {
    const client = await dial(server, lines);
    client.note('the handshake is HTTP');
    client.say(
      get('/ws?topics=news', {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      }),
    );
    await client.heard(/\r\n\r\n[\s\S]*"socket":"open"[^}]*}$/);
    client.note('frames from here on, their first bytes in brackets; the server publishes an event');
    await publish(server);
    await client.heard(/"it works"}}$/);
    client.note('the client publishes over the same connection, gets an acknowledgement, and its own event');
    client.say(maskedFrame(1, '{"publish":"news","ref":1,"body":"hello"}'));
    await client.heard(/(?=[\s\S]*"ack":1)[\s\S]*"hello"}[\s\S]*}$/);
    client.note('and closes');
    client.say(maskedFrame(8, '\u0003\u00e8'));
    await client.heard(/\u00e8$/);
    client.end();
  },
  async webhook(server, lines) {
    const receiver = await receive(lines, [
      'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n',
      'HTTP/1.1 204 No Content\r\n\r\n',
    ]);
    const client = await dial(server, lines);
    client.note('the receiver registers its address');
    const body =
      `{"url":"http://127.0.0.1:${receiver.port}/hook",` + `"events":["news"],"secret":"${exampleSecret}"}`;
    client.say(
      `POST /webhooks HTTP/1.1\r\nHost: 127.0.0.1:${portOf(server)}\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${body.length}\r\n\r\n${body}`,
    );
    await client.heard(/^HTTP\/1\.1 201[\s\S]*}\n?$/);
    client.note('an event is published: the server calls (<), and the receiver is not ready (>)');
    await publish(server);
    await receiver.done;
    client.end();
    receiver.close();
  },
};

function get(path: string, headers: Record<string, string> = {}): string {
  const all = Object.entries({ Host: '127.0.0.1:8080', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `GET ${path} HTTP/1.1\r\n${all.join('')}\r\n`;
}

async function publish(server: RunningServer): Promise<void> {
  await fetch(`${server.endpoint.publishUrl}/topics/news`, {
    method: 'POST',
    body: '{"headline":"it works"}',
  });
}

const portOf = (server: RunningServer) => Number(new URL(server.endpoint.url).port);

/** A connection that writes down what goes over it. */
async function dial(server: RunningServer, lines: Line[]) {
  const socket = connect(portOf(server), '127.0.0.1').setEncoding('latin1');
  await new Promise((resolve) => socket.once('connect', resolve));
  let come = '';
  socket.on('data', (text: string) => (come += text));
  const stable = (text: string) => plain(text, server);
  return {
    note: (text: string) => lines.push({ by: '#', text }),
    say(text: string) {
      lines.push({ by: '>', text: stable(text) });
      socket.write(text, 'latin1');
    },
    /** Waits for all of it, and picks a part. */
    async heard(whole: RegExp, part?: RegExp): Promise<string> {
      await until(
        () => whole.test(come),
        () => `${whole} did not come: ${come}`,
      );
      lines.push({ by: '<', text: stable(come) });
      const picked = part?.exec(come)?.[1] ?? '';
      come = '';
      return picked;
    },
    pause,
    end: () => socket.destroy(),
  };
}

/** A webhook receiver with its answers in order. */
async function receive(lines: Line[], answers: string[]) {
  const done = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    let come = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      come += text;
      const [, length] = /content-length: (\d+)/i.exec(come) ?? [];
      const at = come.indexOf('\r\n\r\n');
      if (at < 0 || come.length - at - 4 < Number(length)) return;
      const answer = answers.shift()!; // as many answers as attempts
      lines.push({ by: '<', text: plain(come) }, { by: '>', text: answer });
      if (answers.length > 0)
        lines.push({
          by: '#',
          text: 'a little later it calls again, with the same id and a signature of its own',
        });
      come = '';
      socket.write(answer);
      if (answers.length === 0) done.resolve();
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => listener.once('listening', resolve));
  return {
    port: (listener.address() as AddressInfo).port, // of a TCP server
    done: done.promise,
    close() {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** What is the same in every capture. @param server whose epoch and port are in it */
function plain(text: string, server?: RunningServer): string {
  const epoch = server?.hub.epoch ?? /"id":"([a-z0-9]+)-\d+"/.exec(text)?.[1];
  const steady = unframed(text)
    .replaceAll(epoch ?? '\0', 'k3f9a1')
    .replace(/^(date): .*?(?=\r\n)/gim, `$1: ${exampleDate}`)
    .replace(/"seq":(\d+),"planned":\d+,"sent":\d+,"accepted":\d+/g, (_, seq: string) => {
      const stamp = 81_000_000 + Number(seq) * 250_000;
      return `"seq":${seq},"planned":${stamp},"sent":${stamp},"accepted":${stamp}`;
    })
    .replace(/(http:\/\/127\.0\.0\.1:)\d+\/hook/g, '$19000/hook')
    .replace(/^(host: 127\.0\.0\.1:)\d+/gim, (_, host: string) => `${host}${server ? 8080 : 9000}`)
    .replace(/\bep_[\w-]+/g, 'ep_2Jx9');
  return signed(framed(chunked(measured(steady))));
}

/** Content-Length as long as the body now is. */
function measured(text: string): string {
  const at = text.indexOf('\r\n\r\n');
  return at < 0
    ? text
    : text.replace(/^(content-length): [1-9]\d*/im, (_, name: string) => `${name}: ${text.length - at - 4}`);
}

function chunked(text: string): string {
  return text.replace(
    /(^|\r\n)[0-9a-f]+\r\n((?:(?!\r\n)[\s\S])+)(?=\r\n)/g,
    (_, before: string, chunk: string) => `${before}${chunk.length.toString(16)}\r\n${chunk}`,
  );
}

/**
 * WebSocket frames (RFC 6455, section 5.2), a line each: the header in hexadecimal, its length left
 * open, and what it carries.
 */
function unframed(text: string): string {
  const head = text.startsWith('HTTP/') ? text.indexOf('\r\n\r\n') + 4 : 0;
  const bytes = Buffer.from(text.slice(head), 'latin1');
  if ((bytes[0] ?? 0) < 0x80) return text;
  let lines = text.slice(0, head);
  for (let at = 0; at < bytes.length;) {
    const opcode = bytes.readUInt8(at);
    const second = bytes.readUInt8(at + 1);
    const long = (second & 0x7f) === 126;
    const length = long ? bytes.readUInt16BE(at + 2) : second & 0x7f;
    at += long ? 4 : 2;
    const mask = second < 0x80 ? '' : bytes.toString('latin1', at, at + 4);
    at += mask.length;
    const payload = bytes.toString('latin1', at, at + length);
    const meant = mask === '' ? payload : unmasked(payload, mask);
    at += length;
    lines +=
      opcode === 0x88
        ? `[88 ${hex(String.fromCharCode(second))}${mask && ` ${hex(mask)}`}] ` +
          `${Buffer.from(meant, 'latin1').readUInt16BE()}`
        : `[81 ?${mask && ` ${hex(mask)}`}] ${meant}`;
    lines += mask === '' ? '\n' : ', masked\n';
  }
  return lines;
}

/** Writes the lengths of frames as they now are. */
function framed(text: string): string {
  return text.replace(
    /^\[81 \?(.*?)\] (\{.*\})(, masked)?$/gm,
    (_, mask: string, payload: string, masked = '') => {
      const { length } = payload;
      const flag = masked === '' ? 0 : 0x80;
      return (
        '[81 ' +
        `${hex(
          String.fromCharCode(...(length < 126 ? [flag | length] : [flag | 126, length >> 8, length & 255])),
        )}` +
        `${mask}] ${payload}${masked}`
      );
    },
  );
}

/** The one of the standard's own examples (RFC 6455, section 5.7). */
const maskKey = '\x37\xfa\x21\x3d';

/** A client's frame of less than 126 bytes (RFC 6455, section 5.3). */
function maskedFrame(opcode: number, payload: string): string {
  return `${String.fromCharCode(
    0x80 | opcode,
    0x80 | payload.length,
  )}${maskKey}${unmasked(payload, maskKey)}`;
}

function unmasked(text: string, mask: string): string {
  return Array.from(text, (character, i) =>
    String.fromCharCode(character.charCodeAt(0) ^ mask.charCodeAt(i % 4)),
  ).join('');
}

function hex(text: string): string {
  return Array.from(text, (character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join(' ');
}

/** The signature that the example's secret gives for the body and time that now stand there. */
function signed(text: string): string {
  const [, id] = /^webhook-id: (.*?)\r\n/im.exec(text) ?? [];
  if (id === undefined) return text;
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  const attempt = Number(/^pushbench-attempt: (\d+)/im.exec(text)?.[1] ?? 1);
  const timestampS = exampleTimestampS + attempt - 1;
  const fresh = schemes.standard.sign([schemes.standard.key(exampleSecret)], { id, timestampS, body });
  return text
    .replace(/^(webhook-timestamp): \d+/im, `$1: ${timestampS}`)
    .replace(/^(webhook-signature): .*?(?=\r\n)/im, `$1: ${fresh['webhook-signature']}`);
}

async function until(holds: () => boolean, otherwise: () => string): Promise<void> {
  for (const end = Date.now() + patienceMs; !holds(); await pause())
    if (Date.now() > end) throw new Error(otherwise());
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

if (import.meta.main) {
  for (const pattern of Object.keys(patterns) as PatternName[]) {
    const page = readFileSync(pageOf(pattern), 'utf8');
    writeFileSync(pageOf(pattern), withExchange(page, await capture(pattern)));
  }
}
