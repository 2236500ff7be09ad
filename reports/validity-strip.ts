// The strip that says whether the figures below can be believed.

import { histogramOf } from '../core/metrics.ts';
import { quantileUs } from '../core/histogram.ts';
import type { Completed, Result } from '../core/result.ts';
import { formatNumber, formatShare, formatUs } from '../core/units.ts';
import { html, type Markup } from './markup.ts';
import type { VariantTrials } from './variants.ts';

type Item = { title: string; value: string; wrong: boolean };

export function validityStrip(variants: readonly VariantTrials[], results: readonly Result[]): { strip: Markup; suspect: boolean } {
  const trials = variants.flatMap((variant) => variant.trials);
  const completed = variants.flatMap((variant) => variant.completed);
  const valid = trials.filter(({ outcome }) => outcome.valid).length;
  const most = (pick: (trial: Completed) => number) => Math.max(0, ...completed.map(pick));
  const events = Math.max(0, ...results.map(({ scenario }) => scenario.events));
  const sent = Math.min(...completed.map((trial) => trial.latency.publisherLag.count));
  const loadCpu = most((trial) => Math.max(0, ...trial.processes.filter(({ role }) => role === 'load').map(({ cpuUs, wallUs }) => cpuUs / wallUs)));
  const lagUs = most((trial) => quantileUs(histogramOf(trial.latency.publisherLag), 0.99) ?? 0);
  const open = completed.filter(({ ledger }) => ledger.unconfirmed > 0 || ledger.unexpected > 0 || ledger.delivered + ledger.missed !== ledger.expected).length;
  const disagreeing = completed.flatMap(({ checks }) => checks).filter(({ agree, note }) => !agree && note === '').length;
  const invalid = new Set(trials.flatMap(({ warnings }) => warnings).filter(({ level }) => level === 'invalid').map(({ code }) => code));
  const items: Item[] = [
    { title: 'Trials that count', value: `${valid} of ${trials.length}`, wrong: valid < trials.length },
    ...(completed.length === 0 ? [] : [
      { title: 'Events sent, of those planned', value: events === 0 ? 'none planned' : `${formatNumber(sent)} of ${formatNumber(events)}`, wrong: invalid.has('offered-rate') },
      { title: 'Publisher lag, 99 %', value: formatUs(lagUs), wrong: invalid.has('publisher-late') },
      { title: 'Busiest load process', value: `${formatShare(Number(loadCpu.toFixed(3)))} of a core`, wrong: invalid.has('load-limited') },
      { title: 'Ledger', value: open === 0 ? 'closed' : `open in ${open}`, wrong: open > 0 },
      { title: 'Server and clients count', value: disagreeing === 0 ? 'the same' : `${disagreeing} differences`, wrong: disagreeing > 0 },
    ]),
  ];
  const suspect = items.some(({ wrong }) => wrong);
  const strip = html`<dl class="strip">${items.map(({ title, value, wrong }) =>
    html`<div class="${wrong ? 'wrong' : ''}"><dt>${title}</dt><dd class="${wrong ? 'bad' : 'good'}">${wrong ? '✗ ' : '✓ '}${value}</dd></div>`)}</dl>`;
  return { strip, suspect };
}
