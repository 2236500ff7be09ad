// Measures how long a server takes to end and to start, without a broker and with each: one of two is stopped
// and started again three times within a trial, as faults do it, and each fault says how long it took.

import { UserError } from '../../core/base/errors.ts';
import { median } from '../../core/base/median.ts';
import type { Profile } from '../../core/profile/profile.ts';
import type { Completed } from '../../core/result/result.ts';
import { parseScenario } from '../../core/scenario/scenario-file.ts';
import type { BrokerName } from '../../core/scenario/servers.ts';
import { prepare, run } from '../run/run.ts';
import type { CalibrateOptions } from './calibrate.ts';
import type { Lives } from './cluster-of.ts';

const secondsEach = 2;
const times = 3;

/** The server by its own takes no restart; the other one is there for that alone. */
export function lifeText(broker: BrokerName): string {
  const faults = Array.from({ length: times }, (_, i) => {
    const atMs = 500 + i * secondsEach * 1000;
    return `  - { at: ${atMs}ms, stop: 2 }\n  - { at: ${atMs + secondsEach * 500}ms, restart: 2 }\n`;
  });
  return `question: How long does a server take to end and to start?
subscribers: 2
topics: { news: { publish: 1/s } }
servers: { count: 2, broker: ${broker} }
phases: { connect: 200ms, warmup: 200ms, measure: ${times * secondsEach}s, drain: 2s }
faults:
${faults.join('')}variants: [websocket]
`;
}

/** The medians over a trial's faults; undefined where one was not done. */
export function lifeOf({ faults = [] }: Pick<Completed, 'faults'>): Profile['serverLife'] {
  const tookUs = (kind: string) =>
    faults.flatMap((fault) =>
      fault.kind === kind && fault.atUs !== null && !fault.unfinished ? (fault.tookUs ?? []) : [],
    );
  const [starts, stops] = [tookUs('restart'), tookUs('stop')];
  if (Math.min(starts.length, stops.length) < times) return undefined;
  return { startUs: median(starts), stopUs: median(stops) };
}

type Asked = Pick<CalibrateOptions, 'registry' | 'fleet' | 'machine' | 'observer' | 'signal'>;

/**
 * Measures servers without a broker, and with each of these, one after the other.
 * @param hasTime asked before each broker, with how long its trial takes
 * @returns what is known, and a sentence for each that is not; of a server whose trial is interrupted neither
 */
export async function measureLives(
  brokers: readonly BrokerName[],
  hasTime: (tookMs: number) => boolean,
  options: Asked,
): Promise<{ lives: Lives; leftOut: string[] }> {
  const lives: Lives = {};
  const leftOut: string[] = [];
  for (const broker of ['in-process', ...brokers] as const) {
    if (options.signal.aborted) break;
    const what = `how long a server${withBroker(broker)} takes to start and to stop`;
    if (broker !== 'in-process' && !hasTime(times * secondsEach * 1000)) {
      leftOut.push(`${what}: there was no time.`);
      continue;
    }
    const life = await measureLife(broker, options);
    if (options.signal.aborted) break;
    if (life) lives[broker] = life;
    else leftOut.push(`${what}: it could not be measured.`);
  }
  return { lives, leftOut };
}

function withBroker(broker: BrokerName): string {
  return broker === 'in-process' ? '' : ` with ${broker}`;
}

/** @returns undefined where the trial did not come to its end */
async function measureLife(
  broker: BrokerName,
  { registry, fleet, machine, observer, signal }: Asked,
): Promise<Profile['serverLife']> {
  const text = lifeText(broker);
  const { scenario, source } = parseScenario(text, { file: 'calibrate', registry, overrides: [] });
  const options = {
    registry,
    folder: '.',
    source,
    command: 'pushbench calibrate',
    signal,
    fleet,
    machine,
    observer: { ...observer, trialStarted() {} },
  };
  try {
    const [trial] = (await run(prepare(scenario, options), options)).trials;
    return trial?.outcome.status === 'completed' ? lifeOf(trial.outcome) : undefined;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
