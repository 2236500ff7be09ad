// Brings a process's subscribers up: evenly over the ramp, by the clock, until all are subscribed or it is
// clear that they will not be.

import { nowUs } from '../core/base/clock.ts';
import type { Endpoint, LoadCommand, Problem } from '../core/protocol/control.ts';
import type { Counters } from '../core/result/counters.ts';
import { descriptorLimit } from '../core/base/descriptor-limit.ts';
import { exitCodes, UserError } from '../core/base/errors.ts';
import { sourceAddress, type SourceAddresses } from '../core/base/source-address.ts';
import { random } from '../core/base/random.ts';
import { topicName, topicsOf } from '../core/scenario/topics.ts';
import type { LoadContext, PatternLoad, RunningLoad } from './pattern.ts';
import { createRecorder, type Recorder } from './account/recorder.ts';
import { loads } from './registry.ts';
import type { Connector } from './wire/connection.ts';

/** How long after the ramp nobody may be subscribed any more while some are missing. */
const slackMs = 30_000;
/** Opened in one go; a larger batch would keep the loop from reading. */
const largestBatch = 100;
/**
 * Subscribers that may be on their way at once. Where servers take longer than the ramp foresees, more would
 * only wait in their accept queues, which hold 4096 as a rule and then drop what comes, for seconds.
 */
const mostUnderWay = 1000;

type Start = Extract<LoadCommand, { kind: 'start' }>;

export type StartedSubscribers = {
  running: RunningLoad;
  context: LoadContext;
  recorder: Recorder;
  /**
   * Resolves with the milliseconds that it took. Rejects with a UserError `not-connected`
   * that names the first cause.
   */
  allReady: Promise<number>;
};

/** Starts the command's pattern and begins the ramp. @throws UserError `unknown-pattern` */
export async function startSubscribers(command: Start, counters: Counters): Promise<StartedSubscribers> {
  const {
    pattern,
    options,
    endpoint,
    first,
    count,
    topics,
    subscribers,
    addresses,
    connectMs,
    reconnect,
    seed,
    fanoutEvery,
    endpoints,
  } = command;
  const allReady = Promise.withResolvers<number>();
  const startedUs = nowUs();
  const elapsedMs = () => Math.round((nowUs() - startedUs) / 1000);
  const patience = createPatience(connectMs, (waitedMs) => {
    const missing = count - recorder.connected();
    const seconds = Math.round(waitedMs / 1000);
    const from = endpoint.target ? undefined : addresses; // a target may be elsewhere
    const message = notConnected(recorder.problems(), missing, count, seconds, from);
    allReady.reject(new UserError('not-connected', message, exitCodes.failed));
  });
  const recorder = createRecorder({
    first,
    count,
    topics,
    subscribers,
    fanoutEvery,
    counters,
    onReady(connected) {
      patience.oneMore();
      if (connected === count) allReady.resolve(elapsedMs());
    },
  });
  const context: LoadContext = {
    endpoint,
    counters,
    reconnect,
    endpoints,
    random: random(seed, `load:${first}`),
    topicsOf: (subscriber) => topicsOf(topics, subscriber).map((topic) => topicName(topics, topic)),
    sourceAddress: (subscriber) => sourceAddress(subscriber, addresses),
    sink: recorder.sink,
    connects: recorder.connects,
    ...(await ownConnectorOf(endpoint, counters)),
  };
  const running = endpoint.target
    ? await (
        await import('./target/loads.ts')
      ).startTarget(pattern, options, { context, access: endpoint.target, note: recorder.note })
    : await (await loadOf(pattern)).start(context, options);

  const rampFromUs = nowUs();
  let opened = 0;
  const openDue = () => {
    const share = connectMs > 0 ? (nowUs() - rampFromUs) / (connectMs * 1000) : 1;
    const due = Math.min(
      count,
      Math.floor(share * count) + 1,
      opened + largestBatch,
      recorder.connected() + mostUnderWay,
    );
    while (opened < due) running.open(first + opened++);
    if (opened < count) setTimeout(openDue, 1);
  };
  openDue();

  patience.begin();
  void allReady.promise.finally(patience.end).catch(() => {});
  if (count === 0) allReady.resolve(0);
  return { running, context, recorder, allReady: allReady.promise };
}

/**
 * Waits for the last subscribers. A machine may take longer for all than the ramp foresees: as long as more
 * come, they are waited for.
 * @param giveUp is called when the ramp is over and nobody has come for a while, with how long it took
 */
function createPatience(connectMs: number, giveUp: (waitedMs: number) => void) {
  let fromUs = Infinity;
  let timer: NodeJS.Timeout | undefined;
  const passedMs = () => (nowUs() - fromUs) / 1000;
  const wait = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => giveUp(Math.max(connectMs + slackMs, passedMs())), ms);
  };
  return {
    begin(): void {
      fromUs = nowUs();
      wait(connectMs + slackMs);
    },
    oneMore(): void {
      if (passedMs() > connectMs) wait(slackMs);
    },
    end(): void {
      clearTimeout(timer);
      fromUs = Infinity;
    },
  };
}

/** How connections to a server of ours are made over TLS; HTTP/2 makes its own. */
export async function ownConnectorOf(
  endpoint: Endpoint,
  counters: Counters,
): Promise<{ connector?: Connector }> {
  const { url, over, target } = endpoint;
  if (target || over !== 'h1' || !url.startsWith('https:')) return {};
  // Loaded only here, as node:tls costs megabytes that clear text has no use for.
  return { connector: (await import('./wire/secure.ts')).ownConnector(endpoint, counters) };
}

async function loadOf(pattern: string): Promise<PatternLoad<Readonly<Record<string, unknown>>>> {
  if (!Object.hasOwn(loads, pattern)) {
    throw new UserError(
      'unknown-pattern',
      `there is no load side for the pattern "${pattern}"; there is ${Object.keys(loads).join(', ')}`,
    );
  }
  // The options were validated against the pattern's own schema where the scenario was read.
  return (await loads[pattern as keyof typeof loads]()) as PatternLoad<Readonly<Record<string, unknown>>>;
}

/** The code of most problems; undefined where there is none. They may differ in address and port alone. */
export function mostFrequent(problems: readonly Problem[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { code, count } of problems) counts.set(code, (counts.get(code) ?? 0) + count);
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0];
}

/**
 * Why the subscribers are not all there, from the problems in the order in which they first came.
 * @param addresses of 127.0.0.0/8 that they connect from, where they do
 */
export function notConnected(
  problems: readonly Problem[],
  missing: number,
  count: number,
  seconds: number,
  addresses?: SourceAddresses,
): string {
  const what = `${missing} of ${count} subscribers were not subscribed ${seconds} s after the start`;
  const [first] = problems;
  if (!first) return `${what}, and there was no error: the server does not answer`;
  const advice = adviceFor(first.code, addresses);
  return `${what}; the first error, ${first.count} times: ${first.message}${advice && ` (${advice})`}`;
}

function adviceFor(code: string, addresses: SourceAddresses | undefined): string {
  switch (code) {
    case 'ECONNREFUSED':
      return (
        'nothing listens there: has the server ended, or is its accept queue full? A longer phases.connect ' +
        'spreads the connections'
      );
    case 'EMFILE':
      return (
        `a load process may hold ${descriptorLimit('self') ?? 'only so many'} descriptors: set ` +
        'loadProcesses higher in the scenario, or take more workers'
      );
    case 'ENFILE':
      return 'the machine has used up its descriptors: raise fs.file-max with sysctl';
    case 'EADDRNOTAVAIL':
      return (
        'the ephemeral ports are used up: widen net.ipv4.ip_local_port_range with sysctl, or wait a minute ' +
        'for those in TIME_WAIT' +
        (addresses
          ? '. These subscribers come from other addresses of 127.0.0.0/8, which the loopback interface ' +
            'must have'
          : '')
      );
    default:
      return '';
  }
}
