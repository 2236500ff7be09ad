// Saturates endpoints in a closed loop: how many requests a second one server process answers when clients
// ask as fast as they are answered. No latency is measured: in a closed loop the clients wait for a slow
// server, so the requests that they would have sent meanwhile are never measured.

import type { Fleet } from '../trial/fleet.ts';
import { forkPeer, TrialFailure } from '../process/peer.ts';
import type { Endpoint } from '../../core/protocol/control.ts';
import type { Pattern } from '../../core/pattern/pattern.ts';
import { patterns } from '../../core/pattern/registry.ts';
import { variantOf } from '../../core/pattern/variant.ts';
import { writeDuration } from '../../core/base/units.ts';
import type { Result } from '../../core/result/result.ts';
import { defaultLimits, type ClosedLoop } from '../../core/scenario/scenario.ts';

export type SaturateCommand =
  | {
      kind: 'start';
      url: string;
      method: 'GET' | 'POST';
      body: string | undefined;
      connections: number;
      seconds: number;
    }
  | { kind: 'stop' };
export type SaturateReport = {
  kind: 'done';
  requests: number;
  errors: number;
  wallUs: number;
  cpuUs: number;
};

type Request = { name: string; method: 'GET' | 'POST'; url: string; body: string | undefined };
/** A request to repeat, on a server of `pattern`. */
type Asked = {
  pattern: string;
  requestTo(endpoint: Endpoint, signal: AbortSignal): Promise<Request> | Request;
};

const listenLimitMs = 15_000;
const replyLimitMs = 10_000;
/** What autocannon takes beside its duration: starting, and ending its connections. */
const slackMs = 20_000;
const stopGraceMs = 3000;
const bodyBytes = 256;

// The same file runs as .ts from the repository and as .js from the package.
const entry = new URL(
  `./saturate-process${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`,
  import.meta.url,
);

/**
 * One endpoint after the other, each on a fresh server.
 * @throws TrialFailure when a process fails or is silent; the signal's reason when it is aborted
 */
export async function saturate(
  { connections, for: forMs }: ClosedLoop,
  fleet: Fleet,
  signal: AbortSignal,
): Promise<NonNullable<Result['closedLoop']>> {
  const all: NonNullable<Result['closedLoop']> = [];
  for (const { pattern, requestTo } of asked()) {
    signal.throwIfAborted();
    const server = fleet.server();
    const client = forkPeer<SaturateCommand, SaturateReport>('autocannon', entry);
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const measured = async () => {
      const { options } = variantOf(patterns, pattern);
      server.send({ kind: 'start', pattern, options, limits: defaultLimits, seed: 1 });
      const { endpoint } = await server.next('listening', listenLimitMs);
      const { method, url, body, name } = await requestTo(endpoint, signal);
      server.send({ kind: 'sample' });
      const { sample: before } = await server.next('sample', replyLimitMs);
      client.send({
        kind: 'start',
        url,
        method,
        body,
        connections,
        seconds: Math.max(1, Math.round(forMs / 1000)),
      });
      const done = await client.next('done', forMs + slackMs);
      if (done.requests === 0)
        throw new TrialFailure(
          'closed-loop',
          `The closed loop measured nothing: none of ${connections} connections got an answer to ` +
            `${name} in ${writeDuration(forMs)}, and ${done.errors} failed.`,
        );
      server.send({ kind: 'sample' });
      const { sample: after } = await server.next('sample', replyLimitMs);
      all.push({
        endpoint: name,
        connections,
        requestsPerS: done.requests / (done.wallUs / 1e6),
        // Over the time in which requests were made; the server does next to nothing before and after it.
        serverCpuShare: (after.cpuUs - before.cpuUs) / done.wallUs,
        clientCpuShare: done.cpuUs / done.wallUs,
        errors: done.errors,
      });
    };
    const measuring = measured();
    measuring.catch(() => {}); // when something else ended the race
    try {
      await Promise.race([measuring, aborted.promise, server.broken, client.broken]);
    } finally {
      signal.removeEventListener('abort', onAbort);
      await Promise.all([server.stop(stopGraceMs, signal), client.stop(stopGraceMs, signal)]);
    }
  }
  return all;
}

/** The patterns that answer at once, and publishing, which is the same on all servers. */
function asked(): Asked[] {
  const reads = Object.entries<Pattern>(patterns).flatMap(([pattern, { answersAtOnce, path }]): Asked[] =>
    answersAtOnce ? [{ pattern, requestTo: ({ url }, signal) => emptyRead(url + path, signal) }] : [],
  );
  const pattern = reads[0]?.pattern ?? Object.keys(patterns)[0]!; // there is one
  return [...reads, { pattern, requestTo: ({ publishUrl }) => publishRequest(publishUrl) }];
}

/** A request that finds nothing new: it has the cursor that the server has just given. */
async function emptyRead(place: string, signal: AbortSignal): Promise<Request> {
  const answer = await fetch(`${place}?topics=news`, { signal });
  const { cursor } = (await answer.json()) as { cursor: string }; // our own server's answer, docs/wire.md
  return {
    name: `GET ${new URL(place).pathname}, nothing new`,
    method: 'GET',
    url: `${place}?topics=news&since=${cursor}`,
    body: undefined,
  };
}

function publishRequest(base: string): Request {
  const frame = JSON.stringify({ text: '' });
  return {
    name: `POST /topics/news, ${bodyBytes} bytes`,
    method: 'POST',
    url: `${base}/topics/news`,
    body: JSON.stringify({ text: 'x'.repeat(bodyBytes - frame.length) }),
  };
}
