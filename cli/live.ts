// Shows how far a run has come: a bar with the time left on a terminal, plain lines elsewhere, or nothing. It
// writes to standard error, because standard output is for results.

import { createLogUpdate } from 'log-update';
import { fullName } from '../core/pattern/variant.ts';
import type { Trial } from '../core/result/result.ts';
import { figureOf } from '../core/metrics/registry.ts';
import { allVoid, allVoidedWords } from '../core/result/voids.ts';
import { maxValueUs } from '../core/result/histogram.ts';
import { oneLine } from '../core/base/printable.ts';
import { formatNumber, formatShare, formatUs } from '../core/base/units.ts';
import type { Progress } from '../harness/trial/stage.ts';
import type { RunObserver } from '../harness/run/run.ts';
import { unknownColumns, wrapped } from '../reports/text/wrap.ts';
import { isLive, lineFor } from './terminal.ts';

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
const barColumns = 24;
/** Where lines stay, the first says how far a simulation is after so long, and each later one after twice. */
const firstLineMs = 2000;
/** Ten updates a second are smooth; each costs the core that server and load share. */
const updateEveryMs = 100;

/** What fits the terminal, or the file, that standard error is. */
export function liveMode(quiet: boolean, stream: NodeJS.WriteStream = process.stderr): LiveMode {
  return quiet ? 'quiet' : isLive(stream) ? 'live' : 'lines';
}

export function createLiveView(mode: LiveMode, stream: NodeJS.WriteStream = process.stderr): LiveView {
  const update = mode === 'live' ? createLogUpdate(stream) : undefined;
  const say = (text: string) => {
    if (mode === 'quiet') return;
    update?.clear();
    stream.write(`${lineFor(stream, text)}\n`);
  };
  const beganMs = Date.now();
  let head = '';
  let subscribers = 0;
  let phase: Progress['phase'] | undefined;
  let shownAtMs = 0;
  /** When the trial began, and when a line that stays next says how far it is. */
  let startedMs = 0;
  let nextLineMs = 0;
  /** When the last trial will be over, as far as it is known. */
  let overAtMs: number | undefined;

  return {
    trialStarted(variant, number, of, count, leftMs) {
      subscribers = count;
      head = `[${number}/${of}] ${fullName(variant)}`;
      phase = undefined;
      startedMs = Date.now();
      nextLineMs = startedMs + firstLineMs;
      overAtMs = leftMs === undefined ? undefined : Date.now() + leftMs;
    },
    progress(progress) {
      const changed = progress.phase !== phase;
      phase = progress.phase;
      if (mode === 'lines' && changed && phase !== 'start' && phase !== 'close') {
        const left = phase === 'connect' && overAtMs !== undefined ? ` (${leftText(overAtMs)})` : '';
        say(`${head}: ${phaseWords[phase]}${left}`);
      }
      if (!update || (!changed && Date.now() - shownAtMs < updateEveryMs)) return;
      shownAtMs = Date.now();
      update(
        [`${head}: ${phaseText(progress)}`, bar(progress, beganMs, overAtMs), describe(progress, subscribers)]
          .filter((line) => line !== '')
          .map((line) => wrapped(oneLine(line), stream.columns || unknownColumns))
          .join('\n'),
      );
    },
    computed(share) {
      const nowMs = Date.now();
      const tookMs = nowMs - startedMs;
      const left = share > 0 ? `, ${leftText(nowMs + (tookMs * (1 - share)) / share)}` : '';
      const text = `${head}: ${formatShare(Math.floor(share * 100) / 100)} done${left}`;
      update?.(wrapped(oneLine(text), stream.columns || unknownColumns));
      if (mode !== 'lines' || nowMs < nextLineMs) return;
      nextLineMs = startedMs + 2 * tookMs;
      say(text);
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

function phaseText({ phase, share }: Progress): string {
  return (
    phaseWords[phase] +
    (share === undefined ? '' : ` ${formatShare(Math.round(Math.min(1, share) * 100) / 100)}`)
  );
}

/** How far the whole run is; of a search, whose length is unknown, how far the phase is. */
function bar({ share }: Progress, beganMs: number, overAtMs: number | undefined): string {
  const nowMs = Date.now();
  const done = overAtMs === undefined ? share : (nowMs - beganMs) / Math.max(1, overAtMs - beganMs);
  if (done === undefined) return '';
  const full = Math.round(Math.min(1, done) * barColumns);
  return (
    '█'.repeat(full) +
    '░'.repeat(barColumns - full) +
    (overAtMs === undefined ? '' : ` ${leftText(overAtMs)}`)
  );
}

function leftText(overAtMs: number): string {
  const leftS = Math.max(0, Math.round((overAtMs - Date.now()) / 1000));
  if (leftS === 0) return 'nearly done';
  return `about ${leftS < 100 ? `${leftS} s` : `${Math.round(leftS / 60)} min`} left`;
}

const later = `later than ${formatUs(maxValueUs)}`;

function describe(
  { phase, connected, published, delivered, p50Us, slowestUs }: Progress,
  subscribers: number,
): string {
  if (phase !== 'warmup' && phase !== 'measure' && phase !== 'drain') return '';
  return [
    `${formatNumber(connected)} of ${formatNumber(subscribers)} subscribers`,
    `${formatNumber(published)} events`,
    `${formatNumber(delivered)} deliveries`,
    ...(p50Us !== undefined && slowestUs !== undefined
      ? [
          `half ${p50Us === Infinity ? later : `within ${formatUs(p50Us)}`} so far`,
          `the slowest ${slowestUs === Infinity ? later : formatUs(slowestUs)}`,
        ]
      : []),
  ].join(', ');
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
