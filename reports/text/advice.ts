// Writes advice for a terminal: the pattern, what speaks for it and against it, what comes next, what is out,
// figures of the nearest result at hand, and the command that measures it.

import type { Advice, Judged, Said } from '../../core/advice/advise.ts';
import { deliveriesPerS, type Needs } from '../../core/advice/needs.ts';
import type { Source } from '../../core/advice/rules.ts';
import { formatNumber, formatShare, formatUs, writeDuration } from '../../core/base/units.ts';
import type { ExpectedError } from '../../core/result/simulated.ts';
import { oneLine } from '../../core/base/printable.ts';
import { styleText } from 'node:util';
import { distanceOf, farFrom, type NearLoad } from '../summary/nearest-load.ts';
import { notInFigures, offShareText, rangeText } from '../summary/simulated.ts';
import { loadLines } from './at-load.ts';
import type { Paint } from './table.ts';
import { wrapped, type TerminalOptions } from './wrap.ts';

/** @property simulatedFrom a profile: the result was computed and not measured */
export type Nearest = NearLoad & { path: string; scenario: string; simulatedFrom?: string };
/** One server of each pattern with all clients, where nothing measured is at hand. */
export type SimulatedLoads = {
  profile: string;
  rows: {
    label: string;
    /** Null where the server is asked for more than it can do. */
    latencyP50Us: number | null;
    latencyP99Us: number | null;
    cpuShare: number;
    expectedError: ExpectedError;
    extrapolated: number;
    leavesOut: readonly string[];
  }[];
};
export type AdviceParts = {
  needs: Needs;
  /** What was not said and is taken: flags as one would write them. */
  assumed: readonly string[];
  advice: Advice;
  nearest: Nearest | undefined;
  /** Where results were looked for, and which could not be read. */
  looked: string;
  /** Left out where a result is at hand, and where one server cannot be simulated. */
  simulated: SimulatedLoads | undefined;
  command: string;
  notes: readonly string[];
};

export function renderAdvice(parts: AdviceParts, { columns, color }: TerminalOptions): string {
  const { needs, assumed, advice, nearest, looked, simulated, command, notes } = parts;
  const paint: Paint = (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
  const say = (text: string) => wrapped(text, columns);
  const [best, ...others] = advice.ranked;
  const lines = [
    paint('bold', say(best ? `${best.title}.` : 'No pattern does all of this.')),
    say(`For ${needsText(needs)}.`),
    ...(assumed.length === 0 ? [] : [paint('dim', say(`Defaults used: ${assumed.join(', ')}.`))]),
    ...(best ? ['', ...saidLines(best, say)] : []),
    '',
    ...(others.length === 0 ? [] : ['Next:', ...others.map((one) => say(`  ${otherText(one, best)}`))]),
    ...(advice.out.length === 0
      ? []
      : [
          'Out:',
          ...advice.out.map(({ title, because }) => say(`  ${title}: ${because.map(saidText).join('; ')}.`)),
        ]),
    '',
    'By arithmetic:',
    ...advice.arithmetic.map((line) => say(`  ${line}`)),
    '',
    ...nearestLines(nearest, looked, columns, paint),
    ...simulatedLines(simulated, needs).map(say),
    '',
    ...notes.map(say),
    'Measure it:',
    `  ${command}`,
    paint('dim', say('What is measured is a claim of docs/claims.md. All rules: docs/advise.md.')),
  ];
  return `${lines.join('\n')}\n`;
}

/** `3,000 browsers, one way, an update every 2s for each (1,500 deliveries a second)` */
export function needsText(needs: Needs): string {
  const { clients, to, bothWays, everyMs, withinMs, shared, hold, missed, ordered, reachable } = needs;
  const rate = formatNumber(Number(deliveriesPerS(needs).toPrecision(3)));
  return [
    `${formatNumber(clients)} ${to}${clients === 1 ? '' : 's'}`,
    bothWays ? 'both ways' : 'one way',
    `an update every ${writeDuration(everyMs)} ${shared ? 'for all' : 'for each'} ` +
      `(${rate} deliveries a second)`,
    ...(withinMs === undefined ? [] : [`late by ${writeDuration(withinMs)} at most`]),
    ...(to === 'server' ? [reachable ? 'with an address to call' : 'without an address to call'] : []),
    ...(hold === 'streams'
      ? []
      : [hold === 'requests' ? 'requests may be held, streams not' : 'nothing may be held']),
    ...(missed === 'ok' ? ['updates may be missed'] : missed === 'never' ? ['none may ever be missed'] : []),
    ...(ordered ? ['in order'] : []),
  ].join(', ');
}

function saidLines({ for: pros, against }: Judged, say: (text: string) => string): string[] {
  return [
    ...pros.map((said) => say(`  + ${saidText(said)}`)),
    ...(against.length === 0 ? ['  - nothing in the rules speaks against it'] : []),
    ...against.map((said) => say(`  - ${saidText(said)}`)),
  ];
}

/** What was said of the best is not said again. */
function otherText({ title, for: pros, against }: Judged, best: Judged | undefined): string {
  const again = (said: Said) =>
    [...(best?.for ?? []), ...(best?.against ?? [])].some(({ rule }) => rule === said.rule);
  const parts = [
    ...pros.filter((said) => !again(said)).map((said) => `+ ${said.says}`),
    ...against.filter((said) => !again(said)).map((said) => `- ${said.says}`),
    ...([...pros, ...against].some(again) ? ['and some of the above'] : []),
  ];
  return `${title}${parts.length === 0 ? '' : `: ${parts.join('; ')}`}.`;
}

function saidText({ says, source }: Said): string {
  return `${says} (${sourceText(source)})`;
}

/** `article, "Use SSE when"`, `measured: sse-frequency`, `docs/patterns/sse.md` */
export function sourceText(source: Source): string {
  if ('article' in source) return `article, "${source.article}"`;
  return 'claim' in source ? `measured: ${source.claim}` : `docs/${source.page}`;
}

function nearestLines(nearest: Nearest | undefined, looked: string, columns: number, paint: Paint): string[] {
  if (!nearest) return [wrapped(`Measured: ${looked}`, columns)];
  const { load, cell, subscribers, deliveries, path, scenario, simulatedFrom } = nearest;
  const where = oneLine(`${path} (${scenario}${cell === '' ? '' : `, ${cell}`})`);
  const how =
    simulatedFrom === undefined
      ? 'Measured'
      : `There is no measured result. Simulated from the profile "${oneLine(simulatedFrom)}"`;
  return [
    wrapped(
      `${how}, in the nearest result at hand, ${where}: ${times(subscribers, 'clients')}, ` +
        `${times(deliveries, 'deliveries a second')}.` +
        (distanceOf(nearest) > farFrom
          ? ' That is far from your load: trust the ranking more than the figures.'
          : ''),
      columns,
    ),
    ...loadLines(load, columns, paint),
  ];
}

function simulatedLines(simulated: SimulatedLoads | undefined, { clients }: Needs): string[] {
  if (!simulated) return [];
  const { profile, rows } = simulated;
  const off = (text: string, share: number | null) => `${text} ${offShareText(share)}`;
  return [
    `Simulated from the profile "${oneLine(profile)}", one server with ${formatNumber(clients)} clients ` +
      '(± is how far off a figure is expected to be):',
    ...rows.map(({ label, latencyP50Us: p50, latencyP99Us: p99, cpuShare, expectedError, extrapolated }) =>
      p50 === null || p99 === null
        ? `  ${label}: more than one server can do; pushbench plan says how many it takes.`
        : `  ${label}: p50 ${off(formatUs(p50), expectedError['latency.p50'])}, ` +
          `p99 ${off(formatUs(p99), expectedError['latency.p99'])}, ` +
          `${off(formatShare(Number(cpuShare.toPrecision(2))), expectedError['server-cpu'])} of a core; ` +
          `calibrated range: ${rangeText(extrapolated)}.`,
    ),
    ...['Not in these figures:', ...notInFigures(rows)].map((text) => `  ${text}`),
  ];
}

function times(ratio: number, what: string): string {
  if (Math.abs(ratio - 1) < 0.01) return `as many ${what}`;
  return ratio > 1
    ? `${formatNumber(Number(ratio.toPrecision(2)))} times your ${what}`
    : `1/${formatNumber(Number((1 / ratio).toPrecision(2)))} of your ${what}`;
}
