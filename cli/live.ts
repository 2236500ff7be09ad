// Shows how far a run has come: one updating line on a terminal, plain lines elsewhere, or nothing. It writes
// to standard error, because standard output is for results.

import { createLogUpdate } from 'log-update';
import type { Trial } from '../core/result/result.ts';
import { figureOf } from '../core/metrics/registry.ts';
import { allVoid, allVoidedWords } from '../core/result/voids.ts';
import { oneLine, printable } from '../core/base/printable.ts';
import { formatNumber, formatShare, formatUs } from '../core/base/units.ts';
import type { Progress } from '../harness/trial/stage.ts';
import type { RunObserver } from '../harness/run/run.ts';

export type LiveMode = 'live' | 'lines' | 'quiet';
export type LiveView = RunObserver & {
  /** A line that stays. */
  note(text: string): void;
  close(): void;
};

const phaseWords: Record<Progress['phase'], string> = {
  start: 'starting',
  connect: 'connecting',
  warmup: 'warming up',
  measure: 'measuring',
  drain: 'draining',
  close: 'closing',
};
/** Ten updates a second are smooth; each costs the core that server and load share. */
const updateEveryMs = 100;

export function createLiveView(mode: LiveMode, stream: NodeJS.WriteStream = process.stderr): LiveView {
  const update = mode === 'live' ? createLogUpdate(stream) : undefined;
  const say = (text: string) => {
    if (mode === 'quiet') return;
    update?.clear();
    stream.write(`${printable(text)}\n`);
  };
  let head = '';
  let subscribers = 0;
  let phase: Progress['phase'] | undefined;
  let shownAtMs = 0;

  return {
    trialStarted(variant, number, of, count) {
      subscribers = count;
      head = `[${number}/${of}] ${variant.label}`;
      phase = undefined;
    },
    progress(progress) {
      const changed = progress.phase !== phase;
      phase = progress.phase;
      if (mode === 'lines' && changed && phase !== 'start' && phase !== 'close')
        say(`${head}: ${phaseWords[phase]}`);
      if (!update || (!changed && Date.now() - shownAtMs < updateEveryMs)) return;
      shownAtMs = Date.now();
      update(oneLine(`${head}: ${describe(progress, subscribers)}`));
    },
    trialEnded(trial) {
      say(`${head}: ${summary(trial)}`);
    },
    note: say,
    close() {
      update?.clear();
      update?.done();
    },
  };
}

function describe(
  { phase, share, connected, published, delivered, p50Us, slowestUs }: Progress,
  subscribers: number,
): string {
  const parts = [
    `${phaseWords[phase]}` +
      (share === undefined ? '' : ` ${formatShare(Math.round(Math.min(1, share) * 100) / 100)}`),
  ];
  if (phase === 'warmup' || phase === 'measure' || phase === 'drain') {
    parts.push(
      `${formatNumber(connected)} of ${formatNumber(subscribers)} subscribers`,
      `${formatNumber(published)} events`,
      `${formatNumber(delivered)} deliveries`,
    );
    if (p50Us !== undefined && slowestUs !== undefined)
      parts.push(`half within ${formatUs(p50Us)} so far`, `the slowest ${formatUs(slowestUs)}`);
  }
  return parts.join(', ');
}

function summary({ outcome, warnings }: Trial): string {
  if (outcome.status === 'failed') return `failed: ${outcome.message}`;
  const { delivered, missed, expected } = outcome.ledger;
  const { value: median } = figureOf('latency.p50', outcome);
  const counts =
    `${formatNumber(delivered)} of ${formatNumber(expected)} ` +
    `deliveries${missed > 0 ? ` (${formatNumber(missed)} missed)` : ''}`;
  const invalid = warnings.filter(({ level }) => level === 'invalid').map(({ code }) => code);
  return (
    `${counts}${median === undefined ? '' : `, median ${formatUs(median)}`}` +
    (invalid.length === 0
      ? ''
      : allVoid(outcome)
        ? `; does not count: ${invalid.join(', ')}`
        : `; void: ${allVoidedWords(outcome)} (${invalid.join(', ')})`)
  );
}
