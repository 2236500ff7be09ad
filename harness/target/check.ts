// Checks whether a target file describes its system correctly. For each pattern: one subscriber, one event,
// through the very processes that a run uses, and what to fix where the event does not come back.

import type { LoadClosed, LoadSample, Problem, Window } from '../../core/protocol/control.ts';
import { quantileUs, newHistogram, merge } from '../../core/result/histogram.ts';
import { patternNamed } from '../../core/pattern/registry.ts';
import { defaultLimits } from '../../core/scenario/scenario.ts';
import { redact } from '../../core/secrets/redact.ts';
import type { TargetSubscribe } from '../../core/target/access.ts';
import type { TopicGroupPlan } from '../../core/scenario/topics.ts';
import { formatUs } from '../../core/base/units.ts';
import type { Fleet } from '../trial/fleet.ts';
import { TrialFailure } from '../process/peer.ts';
import { targetFleet, type PreparedTarget } from './target-peer.ts';
import { problemReaching } from './reach.ts';

export type Finding = {
  /** The pattern that it is about; none when it is about all. */
  pattern?: string;
  works: boolean;
  /** What was seen. */
  message: string;
  /** What to do about it, where it does not work. */
  hint?: string;
};

const withinMs = 5000;
const startMs = 15_000;
const stepMs = 50;
const baseMs = 200;
const stopGraceMs = 1000;
const body = '{"from":"pushbench","quote":"\\"","unicode":"é"}';

/**
 * @param topic to publish on; a target with fixed topics may know only its own
 * @throws the signal's reason when it is aborted
 */
export async function checkTarget(
  target: PreparedTarget,
  topic: string,
  fleet: Fleet,
  signal: AbortSignal = new AbortController().signal,
): Promise<Finding[]> {
  const problems = await Promise.all(
    target.hosts.map((host) => problemReaching(host, target.access, signal)),
  );
  signal.throwIfAborted();
  const unreachable = problems.filter((problem) => problem !== undefined);
  const shown = (text: string) => redact(text, target.access.secrets);
  const clean = ({ message, hint, ...rest }: Finding): Finding => ({
    ...rest,
    message: shown(message),
    ...(hint !== undefined && { hint: shown(hint) }),
  });
  if (unreachable.length > 0) return unreachable.map((message) => clean({ works: false, message }));
  const findings: Finding[] = [];
  // One after another, so that each one's problems are its own.
  for (const [pattern, how] of Object.entries(target.access.subscribe)) {
    findings.push(clean(await checkPattern(target, pattern, how, topic, targetFleet(fleet, target), signal)));
  }
  return findings;
}

async function checkPattern(
  target: PreparedTarget,
  pattern: string,
  how: TargetSubscribe,
  topic: string,
  fleet: Fleet,
  signal: AbortSignal,
): Promise<Finding> {
  const broken = (message: string, hint: string): Finding => ({ pattern, works: false, message, hint });
  signal.throwIfAborted();
  const [server, load, publisher] = [fleet.server(), fleet.load(0), fleet.publisher()];
  // Stopping them ends every wait for one of them.
  const stop = (graceMs: number) =>
    Promise.all([server, load, publisher].map((peer) => peer.stop(graceMs, signal)));
  const onAbort = () => void stop(stopGraceMs);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const topics: TopicGroupPlan[] = [{ name: topic, count: 1, follow: 1, first: 0 }];
    const entry = patternNamed(pattern)!; // target files describe patterns of ours
    const options = entry.options.parse(entry.quick ?? {});
    server.send({ kind: 'start', pattern, options, limits: defaultLimits, seed: 1 });
    const { endpoint } = await server.next('listening', startMs);
    // The time that the process takes to start is not the target's.
    load.send({ kind: 'sample' });
    await load.next('sample', startMs);
    let samples: LoadSample[] = [];
    load.on('sample', (sample) => void samples.push(sample));
    load.send({
      kind: 'start',
      pattern,
      options,
      endpoint,
      first: 0,
      count: 1,
      topics,
      subscribers: 1,
      connectMs: 0,
      reconnect: { base: baseMs, cap: 1000 },
      seed: 1,
      fanoutEvery: 1,
    });
    if (!(await within(load.next('ready', withinMs)))) {
      const [first] = (await close(load, 0)).problems;
      if (!first)
        return broken(
          `no answer to a subscriber within ${withinMs / 1000} s`,
          `Does ${how.url} answer? Try it with curl -N.`,
        );
      return broken(`a subscriber was not let in: ${first.message}`, hintFor(first, pattern, how));
    }

    publisher.send({
      kind: 'start',
      publishUrl: endpoint.publishUrl,
      ...(endpoint.target && { target: endpoint.target }),
      topics,
      seed: 1,
      plan: {
        offsetUs: Float64Array.of(0),
        topic: Uint32Array.of(0),
        body: Int32Array.of(0),
        corpus: [body],
      },
    });
    await publisher.next('ready', startMs);
    const fromUs = fleet.clock.nowUs() + stepMs * 1000;
    const window: Window = { warmupFromUs: fromUs, fromUs, toUs: fromUs + 1_000_000, slotUs: 1_000_000 };
    for (const peer of [load, publisher]) peer.send({ kind: 'window', window });
    const done = await publisher.next('done', startMs);
    if (done.seq[0] === 0) {
      const [first] = done.problems;
      return broken(
        `an event could not be published: ${first?.message ?? 'no answer'}`,
        first ? publishHint(first, target) : `Does ${target.access.publish.url} answer?`,
      );
    }
    for (
      const endUs = fleet.clock.nowUs() + withinMs * 1000;
      fleet.clock.nowUs() < endUs && !samples.some(({ delivered }) => delivered > 0);
    ) {
      load.send({ kind: 'sample' });
      await fleet.clock.until(fleet.clock.nowUs() + stepMs * 1000, signal);
    }
    const { ledger, problems } = await close(load, done.seq[0]!);
    if (ledger.delivered === 0) return nothingCame(problems, broken, target, how);
    if (ledger.corrupted > 0)
      return broken(
        'the event came back, but its body is not the one that was published',
        'The target rewrites what it carries; if only the order of keys changed, runs count every event ' +
          'as corrupted and are right otherwise.',
      );
    const latency = newHistogram();
    for (const { histogram } of samples.flatMap((sample) => sample.latency)) merge(latency, histogram);
    samples = [];
    const times = ledger.duplicated > 0 ? `, ${ledger.duplicated + 1} times` : '';
    return {
      pattern,
      works: true,
      message: `the event came back after ${formatUs(quantileUs(latency, 1) ?? 0)}${times}`,
    };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof TrialFailure)) throw error;
    return broken(
      error.message,
      'If the target cannot be the cause, please report this with the target file.',
    );
  } finally {
    signal.removeEventListener('abort', onAbort);
    await stop(stopGraceMs);
  }
}

async function close(load: ReturnType<Fleet['load']>, last: number): Promise<LoadClosed> {
  load.send({ kind: 'close', firstSeq: Int32Array.of(1), lastSeq: Int32Array.of(last) });
  return load.next('closed', startMs);
}

/** Whether it came about; silence is not an answer, all else that goes wrong is thrown. */
async function within(report: Promise<unknown>): Promise<boolean> {
  try {
    await report;
    return true;
  } catch (error) {
    if (error instanceof TrialFailure && error.code === 'child-silent') return false;
    throw error;
  }
}

function nothingCame(
  problems: readonly Problem[],
  broken: (message: string, hint: string) => Finding,
  { access }: PreparedTarget,
  how: TargetSubscribe,
): Finding {
  const unstamped = problems.find(({ code }) => code === 'unstamped');
  const other = problems.find(({ code }) => code !== 'unstamped');
  if (other)
    return broken(
      `published, but it did not come back: ${other.message}`,
      'The publisher was answered with success, so look at the subscriber.',
    );
  if (unstamped) {
    return broken(
      `published, but what came back is not our event: ${unstamped.message.replace(/^[^:]*: /, '')}`,
      'The body must come back somewhere in the message: as it is, or as a JSON string. Does the target ' +
        'pass on what publish.body sends, or only a field of it?',
    );
  }
  return broken(
    `published, but nothing came back within ${withinMs / 1000} s`,
    'Do publisher and subscriber name the same channel? Published to ' +
      `${access.publish.url}, subscribed to ${how.url}.`,
  );
}

function hintFor({ code, message }: Problem, pattern: string, how: TargetSubscribe): string {
  const status = Number(/\b(\d{3})\b/.exec(message)?.[1] ?? 0);
  if (code === 'http-type') return `This is not an event stream. Is ${how.url} the URL for ${pattern}?`;
  if (code === 'ws-handshake') return 'If it asks for a subprotocol, name it: protocol: NAME.';
  if (code === 'http-head' || code === 'ws-frame' || code === 'http-chunk')
    return `What answers at ${how.url} breaks the protocol. Is it another kind of server?`;
  return statusHint(status, `subscribe.${pattern}`, how);
}

function publishHint({ code, message }: Problem, { access }: PreparedTarget): string {
  if (code !== 'publish-refused')
    return 'The connection ended without an answer; the log of the target may say why.';
  const status = Number(/status (\d{3})/.exec(message)?.[1] ?? 0);
  const { method, url } = access.publish;
  if (status === 405) return `It does not take ${method} at ${url}: set publish.method.`;
  if (status === 415)
    return `It does not take the content type ${access.publish.headers['content-type']}: set publish.type.`;
  if (status === 400 || status === 422)
    return (
      'It wants another body: say so with publish.body, such as ' +
      `'{"channel":"{topic}","data":{event}}', and publish.type.`
    );
  return statusHint(status, 'publish', access.publish);
}

function statusHint(
  status: number,
  key: string,
  { url, headers }: Pick<TargetSubscribe, 'url' | 'headers'>,
): string {
  if (status === 401 && headers['authorization'] !== undefined)
    return (
      'It does not take the credentials in headers.authorization: ' +
      'are they of this system, and still valid?'
    );
  if (status === 401)
    return (
      'It wants credentials: headers: { authorization: "Bearer ' + '${NAME}" }, with NAME in the environment.'
    );
  if (status === 403)
    return (
      `It refuses. Does it want credentials (headers: { authorization: "Bearer \${NAME}" }), or is ${url} ` +
      `for something else than ${key}?`
    );
  if (status === 404)
    return `There is nothing at ${url}. Is ${key} the right path, and the topic one that exists?`;
  if (status >= 300 && status < 400)
    return `It redirects; redirects are not followed, so write the final address into ${key} (${url}).`;
  if (status === 429 || status === 503)
    return 'It refuses for now: is there a limit on requests or subscribers?';
  if (status >= 500) return 'The target failed by itself; its log may say why.';
  return `Does ${url} answer as ${key} should? Try it with curl -i.`;
}
