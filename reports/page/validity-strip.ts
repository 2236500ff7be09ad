// Draws the strip that says whether the figures below can be believed.

import { mostHeadroom, type LoadLimit } from '../../core/metrics/headroom.ts';
import { missingFrom } from '../../core/result/missing.ts';
import { openLedger } from '../../core/result/open-ledger.ts';
import { evidence, evidenceWords } from '../../core/result/evidence.ts';
import type { Completed, Result } from '../../core/result/result.ts';
import { allVoid, voidedBy } from '../../core/result/voids.ts';
import { formatNumber, formatShare, formatUs } from '../../core/base/units.ts';
import { headroomText } from '../summary/figure-text.ts';
import { loadUses, nearestUse } from '../summary/load-use.ts';
import { html, type Markup } from './markup.ts';
import type { VariantTrials } from '../summary/variants.ts';

type Item = { title: string; value: string; detail?: string; wrong: boolean };

/** @param results those of the variants; a result may be too short to have any */
export function validityStrip(
  results: readonly Result[],
  variants: readonly VariantTrials[],
): { strip: Markup; suspect: boolean } {
  const trials = variants.flatMap((variant) => variant.trials);
  const completed = variants.flatMap((variant) => variant.completed);
  const valid = trials.filter(({ outcome }) => outcome.valid).length;
  const offers = variants.flatMap(({ result, trials: [first], completed: own }) =>
    own.map((trial) => ({
      sent: trial.latency.publisherLag.count,
      planned: first?.cell?.events ?? result.scenario.events,
    })),
  );
  const worst = offers
    .filter(({ planned }) => planned > 0)
    .toSorted((a, b) => a.sent / a.planned - b.sent / b.planned)[0];
  const open = completed.filter((trial) => openLedger(trial).length > 0).length;
  const differing = completed.flatMap(({ checks }) => checks).filter(({ agree }) => !agree);
  const unexplained = differing.filter(({ note }) => note === '').length;
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
  const items: Item[] = [
    ...(cut
      ? [
          {
            title: 'The run went to its end',
            value:
              missing === 0 ? 'no' : `no: ${formatNumber(missing)} trial${missing === 1 ? '' : 's'} missing`,
            wrong: true,
          },
        ]
      : []),
    {
      title: 'Trials of which everything counts',
      value: `${valid} of ${formatNumber(trials.length + missing)}`,
      ...(inPart !== '' && { detail: inPart }),
      wrong: missing > 0 || judged.some(({ outcome }) => !outcome.valid),
    },
    ...(completed.length === 0
      ? []
      : [
          {
            title: 'Events sent, of those planned',
            value:
              worst === undefined
                ? 'none planned'
                : `${formatNumber(worst.sent)} of ${formatNumber(worst.planned)}`,
            wrong: invalid.has('offered-rate'),
          },
          ...loadItems(variants),
          { title: 'Ledger', value: open === 0 ? 'closed' : `open in ${open}`, wrong: open > 0 },
          {
            title: 'Server and clients count',
            value: completed.every(({ checks }) => checks.length === 0)
              ? 'not compared'
              : differenceText(differing.length, unexplained),
            wrong: unexplained > 0,
          },
        ]),
  ];
  const suspect = items.some(({ wrong }) => wrong);
  const strip = html`<dl class="strip">
    ${items.map(
      ({ title, value, detail, wrong }) =>
        html`<div class="${wrong ? 'wrong' : ''}">
          <dt>${title}</dt>
          <dd class="${wrong ? 'bad' : 'good'}">
            ${wrong ? '✗ ' : '✓ '}${value}${detail !== undefined && html`<small>${detail}</small>`}
          </dd>
        </div>`,
    )}
  </dl>`;
  return { strip, suspect };
}

/** What is void in trials of which other figures stand: `void: latencies in 5`. */
function inPartText(completed: readonly Completed[]): string {
  const partly = completed.filter((trial) => !trial.valid && !allVoid(trial));
  const counts = evidence.flatMap((one) => {
    const count = partly.filter((trial) => voidedBy([one], trial).length > 0).length;
    return count === 0 ? [] : [{ words: evidenceWords[one], count }];
  });
  if (counts.length === 0) return '';
  const [most] = counts.toSorted((a, b) => b.count - a.count); // there is one
  const more = counts.length > 1 ? ' and more, as the warnings say' : '';
  return `void: ${most!.words} in ${formatNumber(most!.count)}${more}`;
}

const limitNames: Readonly<Record<LoadLimit['name'], string>> = {
  cpu: 'CPU of a load process',
  'loop-delay': 'late turns of a load process',
  'publisher-lag': 'publisher lag',
};

/** What the load side used of its limits, each of the trial that came nearest to it. */
function loadItems(variants: readonly VariantTrials[]): Item[] {
  const uses = loadUses(variants);
  const nearestTo = (wanted: LoadLimit['name']) => nearestUse(uses.filter(({ name }) => name === wanted));
  const [lag, cpu, least] = [nearestTo('publisher-lag'), nearestTo('cpu'), nearestUse(uses)];
  const core = (share: number) => formatShare(Number(share.toFixed(3)));
  return [
    ...(lag
      ? [
          {
            title: 'Publisher lag, 99 % of its events',
            value: formatUs(lag.used),
            detail: `of at most ${formatUs(lag.limit)}: ${lag.who}, ${formatNumber(lag.events)} events`,
            wrong: lag.headroom < 1,
          },
        ]
      : []),
    ...(cpu
      ? [
          {
            title: 'Busiest load process',
            value: `${core(cpu.used)} of a core`,
            detail: `of at most ${core(cpu.limit)}: ${cpu.who}`,
            wrong: cpu.headroom < 1,
          },
        ]
      : []),
    ...(least
      ? [
          {
            title: 'Load side could have taken',
            value: headroomText(least.headroom),
            ...(least.headroom < mostHeadroom && { detail: `${limitNames[least.name]}: ${least.who}` }),
            wrong: least.headroom < 1,
          },
        ]
      : []),
  ];
}

function differenceText(differing: number, unexplained: number): string {
  if (unexplained > 0) return `${unexplained} difference${unexplained === 1 ? '' : 's'} unexplained`;
  return differing === 0 ? 'the same' : `the same but for ${differing} explained`;
}
