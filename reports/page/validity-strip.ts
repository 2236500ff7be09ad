// Draws the strip that says whether the figures below can be believed.

import { mostHeadroom, type LoadLimit } from '../../core/metrics/headroom.ts';
import { missingFrom } from '../../core/result/missing.ts';
import { openLedger } from '../../core/result/open-ledger.ts';
import { evidence, evidenceText } from '../../core/result/evidence.ts';
import type { Completed, Result } from '../../core/result/result.ts';
import { allVoid, voidedBy } from '../../core/result/voids.ts';
import { counted } from '../../core/base/counted.ts';
import { formatNumber, formatShare, formatUs } from '../../core/base/units.ts';
import { headroomText } from '../summary/figure-text.ts';
import { listed } from '../../core/base/suggest.ts';
import type { SimulatedTrial } from '../../core/result/simulated.ts';
import { rangeText } from '../summary/simulated.ts';
import { loadUses, nearestUse } from '../summary/load-use.ts';
import { html, type Markup } from './markup.ts';
import type { VariantTrials } from '../summary/variants.ts';

type Item = {
  title: string;
  value: string;
  detail?: string;
  /** `unseen`: there was nothing to look at, so it is neither good nor wrong. */
  state: 'good' | 'wrong' | 'unseen';
};
const stateOf = (wrong: boolean, seen = true): Item['state'] => (!seen ? 'unseen' : wrong ? 'wrong' : 'good');
const marks: Readonly<Record<Item['state'], { mark: string; box: string; text: string }>> = {
  good: { mark: '✓ ', box: '', text: 'good' },
  wrong: { mark: '✗ ', box: 'wrong', text: 'bad' },
  unseen: { mark: '', box: '', text: 'dim' },
};

/** @param results those of the variants; a result may be too short to have any */
export function validityStrip(
  results: readonly Result[],
  variants: readonly VariantTrials[],
): { strip: Markup; suspect: boolean } {
  const trials = variants.flatMap((variant) => variant.trials);
  const completed = variants.flatMap((variant) => variant.completed);
  const measured = completed.filter(({ simulated }) => simulated === undefined);
  const valid = trials.filter(({ outcome }) => outcome.valid).length;
  const offers = variants.flatMap(({ result, trials: [first], completed: own }) =>
    own.flatMap(({ latency: { publisherLag } }) =>
      publisherLag === undefined
        ? []
        : { sent: publisherLag.count, planned: first?.cell?.events ?? result.scenario.events },
    ),
  );
  const worst = offers
    .filter(({ planned }) => planned > 0)
    .toSorted((a, b) => a.sent / a.planned - b.sent / b.planned)[0];
  // A search goes on until a trial breaks or no longer counts: that is how it ends, and no flaw of the run.
  const judged = variants
    .filter(({ result }) => result.searches === undefined)
    .flatMap((variant) => variant.trials);
  const invalid = new Set(
    judged
      .flatMap(({ warnings }) => warnings)
      .filter(({ level }) => level === 'invalid')
      .map(({ code }) => code),
  );
  const missing = results.reduce((sum, result) => sum + missingFrom(result).trials.length, 0);
  const cut = results.some(({ state }) => state.kind !== 'finished');
  const inPart = inPartText(completed);
  const computed = completed.flatMap(({ simulated }) => simulated ?? []);
  const items: Item[] = [
    ...simulatedItems(computed),
    ...(cut
      ? [
          {
            title: 'Complete run',
            value: missing === 0 ? 'no' : `no: ${counted(missing, 'trial')} missing`,
            state: 'wrong' as const,
          },
        ]
      : []),
    {
      title: 'Valid trials',
      value: `${valid} of ${formatNumber(trials.length + missing)}`,
      ...(inPart !== '' && { detail: inPart }),
      state: stateOf(
        missing > 0 || judged.some(({ outcome }) => !outcome.valid),
        // Trials of a search need not be valid, but then nothing is all right either.
        trials.length + missing > 0 && valid === trials.length,
      ),
    },
    // What was computed was sent by nobody, and nobody counted it.
    ...(measured.length === 0
      ? []
      : [
          {
            title: 'Events sent',
            value:
              worst === undefined
                ? 'none planned'
                : `${formatNumber(worst.sent)} of ${formatNumber(worst.planned)}`,
            state: stateOf(invalid.has('offered-rate'), worst !== undefined),
          },
          ...loadItems(variants),
          ledgerItem(measured),
          countItem(measured),
        ]),
  ];
  // What is void in part is marked where it is shown.
  const stands = judged.some(({ outcome }) => outcome.status === 'completed' && !allVoid(outcome));
  const suspect = cut || (judged.length > 0 && !stands);
  const strip = html`<dl class="strip">
    ${items.map(
      ({ title, value, detail, state }) =>
        html`<div class="${marks[state].box}">
          <dt>${title}</dt>
          <dd class="${marks[state].text}">
            ${marks[state].mark}${value}${detail !== undefined && html`<small>${detail}</small>`}
          </dd>
        </div>`,
    )}
  </dl>`;
  return { strip, suspect };
}

/** By which profiles, and how far outside of them; nothing where all was measured. */
function simulatedItems(computed: readonly SimulatedTrial[]): Item[] {
  if (computed.length === 0) return [];
  const outside = Math.max(...computed.map(({ extrapolated }) => extrapolated));
  return [
    {
      title: 'Simulated, from profile',
      value: listed([...new Set(computed.map(({ profile }) => profile))]),
      detail: `${counted(computed.length, 'trial')} computed, none of them measured`,
      state: 'unseen',
    },
    {
      title: 'Calibrated range',
      value: rangeText(outside),
      ...(outside > 1 && { detail: 'of the largest or smallest calibrated point' }),
      state: 'unseen',
    },
  ];
}

/** What is void in trials of which other figures stand: `void: latencies in 5`. */
function inPartText(completed: readonly Completed[]): string {
  const partly = completed.filter((trial) => !trial.valid && !allVoid(trial));
  const counts = evidence.flatMap((one) => {
    const count = partly.filter((trial) => voidedBy([one], trial).length > 0).length;
    return count === 0 ? [] : [{ words: evidenceText([one]), count }];
  });
  if (counts.length === 0) return '';
  const [most] = counts.toSorted((a, b) => b.count - a.count); // there is one
  const more = counts.length > 1 ? ' and more, as the warnings say' : '';
  return `void: ${most!.words} in ${formatNumber(most!.count)}${more}`;
}

const limitNames: Readonly<Record<LoadLimit['name'], string>> = {
  cpu: 'CPU',
  'loop-delay': 'scheduling delay',
  'publisher-lag': 'publisher lag',
};

/** What the load generator used of its limits, each of the trial that came nearest to it. */
function loadItems(variants: readonly VariantTrials[]): Item[] {
  const uses = loadUses(variants);
  const nearestTo = (wanted: LoadLimit['name']) => nearestUse(uses.filter(({ name }) => name === wanted));
  const [lag, cpu, least] = [nearestTo('publisher-lag'), nearestTo('cpu'), nearestUse(uses)];
  const core = (share: number) => formatShare(Number(share.toFixed(3)));
  return [
    ...(lag
      ? [
          {
            title: 'Publisher lag, 99 %',
            value: formatUs(lag.used),
            detail: `at most ${formatUs(lag.limit)}: ${lag.who}, ${counted(lag.events, 'event')}`,
            state: stateOf(!(lag.headroom >= 1)),
          },
        ]
      : []),
    ...(cpu
      ? [
          {
            title: 'Busiest load process',
            value: `${core(cpu.used)} of a core`,
            detail: `at most ${core(cpu.limit)}: ${cpu.who}`,
            state: stateOf(!(cpu.headroom >= 1)),
          },
        ]
      : []),
    ...(least
      ? [
          {
            title: 'Load generator headroom',
            value: headroomText(least.headroom),
            ...(least.headroom < mostHeadroom && { detail: `${limitNames[least.name]}: ${least.who}` }),
            state: stateOf(!(least.headroom >= 1)),
          },
        ]
      : []),
  ];
}

/** Where nothing was expected there is nothing to reconcile. */
function ledgerItem(completed: readonly Completed[]): Item {
  const open = completed.filter((trial) => openLedger(trial).length > 0).length;
  const empty = completed.filter(({ ledger }) => ledger.expected + ledger.unexpected === 0).length;
  const entered = completed.length - empty;
  const accounted = completed.reduce((sum, { ledger }) => sum + ledger.expected, 0);
  return {
    title: 'Deliveries reconciled',
    value:
      open > 0
        ? `not in ${counted(open, 'trial')}`
        : entered === 0
          ? 'none expected'
          : `${formatNumber(accounted)}${empty === 0 ? '' : `, none expected in ${counted(empty, 'trial')}`}`,
    state: stateOf(open > 0, open > 0 || entered > 0),
  };
}

/** With targets nothing was compared: they do not tell their counts. */
function countItem(completed: readonly Completed[]): Item {
  const compared = completed.filter(({ checks }) => checks.length > 0);
  const differing = compared.flatMap(({ checks }) => checks).filter(({ agree }) => !agree);
  const unexplained = differing.filter(({ note }) => note === '').length;
  const others = completed.length - compared.length;
  return {
    title: 'Server and client counts',
    value:
      compared.length === 0
        ? 'not compared'
        : differenceText(differing.length, unexplained) +
          (others === 0 ? '' : `, not compared in ${others} of ${counted(completed.length, 'trial')}`),
    state: stateOf(unexplained > 0, compared.length > 0),
  };
}

function differenceText(differing: number, unexplained: number): string {
  if (unexplained > 0) return `${counted(unexplained, 'difference')} unexplained`;
  return differing === 0 ? 'agree' : `agree, ${counted(differing, 'difference')} explained`;
}
