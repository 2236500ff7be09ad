// Starts `pushbench serve webhook` as a user does, with a receiver that keeps what it got and publishers that
// try again until an event is taken. It draws up the account of it all, for the faults of stores and of
// brokers.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { leftMisses, wordMisses, type Miss } from './judge.ts';
import { leftOf, startCommand, type Command, type Ended } from './command.ts';
import { listenersOf, type Left, type Space } from './space.ts';

/**
 * One answer to a publication. `status` is 0 where none came; `unknown` where it says that the event may
 * be stored or not.
 */
export type Answer = {
  key: string;
  status: number;
  ms: number;
  retryAfter: boolean;
  unknown?: boolean;
  id?: string;
  seq?: number;
};

export type Got = { id: string; seq: number; key: string };

/** What came of a server whose store was hit while it was published to. */
export type StoreSeen = {
  answers: readonly Answer[];
  got: readonly Got[];
  /** What its statistics say is delivered; undefined where they could not be had. */
  delivered: number | undefined;
  exit: Ended;
  output: string;
  left: Left;
};

/** Wanted within two seconds; the rest is for a busy machine. */
export const answerLimitMs = 3000;
/** An answer that has not come by then does not come. */
const hangMs = 10_000;

const refusal = z.looseObject({ error: z.string() });
const published = z.looseObject({ id: z.string(), seq: z.number() });
const envelope = z.looseObject({ id: z.string(), seq: z.number(), body: z.looseObject({ key: z.string() }) });
const stats = z.looseObject({ delivered: z.number(), depth: z.number() });

export type Receiver = { url: string; got: Got[]; close(): void };

export async function startReceiver(): Promise<Receiver> {
  const got: Got[] = [];
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    let body = '';
    request
      .setEncoding('utf8')
      .on('data', (piece: string) => (body += piece))
      .on('end', () => {
        const {
          id,
          seq,
          body: { key },
        } = envelope.parse(JSON.parse(body));
        got.push({ id, seq, key });
        response.writeHead(204).end();
      });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo; // of a TCP listener
  return {
    url: `http://127.0.0.1:${port}`,
    got,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

export type WebhookServer = { url: string; command: Command };

/**
 * @param options of the pattern, as `--set` takes them. It has one endpoint: the receiver, for the topic
 * `news`.
 */
export async function serveWebhooks(
  space: Space,
  options: readonly string[],
  receiver: Receiver,
): Promise<WebhookServer> {
  const sets = ['retries=[100ms, 200ms, 500ms, 1s, 1s, 1s, 1s, 1s, 1s]', ...options].flatMap((one) => [
    '--set',
    one,
  ]);
  const command = startCommand(space, ['serve', 'webhook', '--port', '0', ...sets]);
  await command.saw(/Ctrl-C ends it/);
  const url = /Listening on (\S+)/.exec(command.output())![1]!; // it was printed before
  const response = await fetch(`${url}/webhooks`, {
    method: 'POST',
    body: JSON.stringify({ url: receiver.url, events: ['news'] }),
  });
  if (response.status !== 201)
    throw new Error(`the endpoint was not registered: ${response.status} ${await response.text()}`);
  return { url, command };
}

export async function publish(url: string, key: string, padBytes = 0): Promise<Answer> {
  const from = performance.now();
  const body = JSON.stringify({ key, pad: 'x'.repeat(padBytes) });
  try {
    const response = await fetch(`${url}/topics/news`, {
      method: 'POST',
      body,
      headers: { 'idempotency-key': key },
      signal: AbortSignal.timeout(hangMs),
    });
    const text = await response.text();
    const { status } = response;
    const unknown = status !== 201 && refusal.safeParse(JSON.parse(text)).data?.error === 'unknown';
    const answer: Answer = {
      key,
      status,
      ms: performance.now() - from,
      retryAfter: response.headers.has('retry-after'),
      unknown,
    };
    return status === 201 ? { ...answer, ...pick(published.parse(JSON.parse(text))) } : answer;
  } catch {
    return { key, status: 0, ms: performance.now() - from, retryAfter: false };
  }
}

function pick({ id, seq }: { id: string; seq: number }) {
  return { id, seq };
}

/**
 * Publishes one event after the other, each under one key until it is taken.
 * @param over ends it after the event under way
 */
export async function publishUntil(
  url: string,
  name: string,
  over: AbortSignal,
  answers: Answer[],
): Promise<void> {
  for (let i = 1; !over.aborted; i++) {
    const limit = performance.now() + 4 * hangMs;
    for (let taken = false; !taken && performance.now() < limit;) {
      const answer = await publish(url, `${name}-${i}`);
      answers.push(answer);
      taken = answer.status === 201;
      if (!taken) await sleep(100);
    }
  }
}

/** Waits until nothing is pending, ends the server as a user does, and tells what came of it all. */
export async function conclude(
  space: Space,
  { url, command }: WebhookServer,
  receiver: Receiver,
  answers: readonly Answer[],
): Promise<StoreSeen> {
  const limit = performance.now() + 30_000;
  let last: z.infer<typeof stats> | undefined;
  do {
    await sleep(100);
    last = await statsOf(url);
  } while ((last === undefined || last.depth > 0) && performance.now() < limit);
  const listeners = listenersOf([command.pid]);
  command.child.kill('SIGTERM');
  const exit = await Promise.race([
    command.ended,
    sleep(15_000).then((): Ended => ({ code: null, signal: 'nothing, it still runs' })),
  ]);
  const left = await leftOf(space, listeners, false, 3000);
  receiver.close();
  return {
    answers,
    got: receiver.got,
    delivered: last?.delivered,
    exit,
    output: command.output(),
    left,
  };
}

async function statsOf(url: string): Promise<z.infer<typeof stats> | undefined> {
  try {
    return stats.parse(
      await (await fetch(`${url}/webhooks/stats`, { signal: AbortSignal.timeout(hangMs) })).json(),
    );
  } catch {
    return undefined; // the server is gone, or its store is
  }
}

/**
 * What did not hold. Pure.
 * @param limitMs within which each publication is to be answered
 */
export function judgeStore(
  { answers, got, delivered, exit, output, left }: StoreSeen,
  limitMs = answerLimitMs,
): Miss[] {
  const misses: Miss[] = [...leftMisses(left), ...wordMisses(output)];
  const miss = (aspect: Miss['aspect'], text: string) => void misses.push({ aspect, text });
  if (exit.code !== 0)
    miss(
      'exit code',
      `serve ended with ${exit.signal ?? `exit code ${exit.code}`} after SIGTERM, and it should be 0`,
    );

  const late = answers.filter(({ ms }) => ms > limitMs);
  if (late.length > 0)
    miss(
      'account',
      `${late.length} of ${answers.length} publications waited more than ${limitMs / 1000} s, at most ` +
        `${(Math.max(...late.map(({ ms }) => ms)) / 1000).toFixed(1)} s`,
    );
  const other = answers.filter(({ status, retryAfter }) => status !== 201 && !(status === 503 && retryAfter));
  if (other.length > 0)
    miss(
      'account',
      `${other.length} publications were answered ` +
        `${[...new Set(other.map(({ status }) => status || 'not at all'))].join(', ')} ` +
        'and not 201 or 503 with Retry-After',
    );

  const taken = new Map(answers.filter(({ status }) => status === 201).map(({ key, id = '' }) => [key, id]));
  if (taken.size === 0) miss('account', 'no publication was taken');
  const events = new Set(got.map(({ id }) => id));
  const undelivered = [...taken.values()].filter((id) => !events.has(id));
  if (undelivered.length > 0)
    miss('ledger', `${undelivered.length} of ${taken.size} events that were taken were not delivered`);
  const open = new Set(
    answers.filter(({ unknown, status }) => unknown === true || status === 0).map(({ key }) => key),
  );
  const refused = new Set(got.filter(({ key }) => !taken.has(key) && !open.has(key)).map(({ key }) => key));
  if (refused.size > 0) miss('ledger', `${refused.size} events that were refused were delivered`);
  // An attempt whose outcome was lost is made again, and both may have counted.
  if (delivered !== undefined && (delivered < events.size || delivered > got.length)) {
    miss(
      'ledger',
      `the statistics say ${delivered} delivered; ${events.size} events came, in ${got.length} requests`,
    );
  }
  if (delivered === undefined) miss('account', 'the statistics could not be had');

  const idsOf = Map.groupBy(got, ({ key }) => key);
  const twice = [...idsOf].filter(([, all]) => new Set(all.map(({ id }) => id)).size > 1);
  if (twice.length > 0) miss('ledger', `${twice.length} keys became several events each`);
  const seqs = new Set(got.map(({ seq }) => seq));
  const highest = Math.max(0, ...seqs);
  if (seqs.size !== highest)
    miss('ledger', `the sequence goes to ${highest} and ${highest - seqs.size} of its numbers never came`);
  return misses;
}
