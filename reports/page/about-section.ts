// Draws what a report says of its runs besides figures: which trials are missing, what to notice, how the
// patterns work, and how each run was made and is repeated.

import { patterns } from '../../core/pattern/registry.ts';
import { coresText, memoryText, placeText } from '../../core/result/machine-text.ts';
import { missingFrom } from '../../core/result/missing.ts';
import type { Result } from '../../core/result/result.ts';
import { counted } from '../../core/base/counted.ts';
import { formatNumber } from '../../core/base/units.ts';
import { variantNames } from '../summary/names.ts';
import { labelIn } from '../summary/variants.ts';
import { workersLine } from '../summary/workers.ts';
import { docName } from './doc-name.ts';
import { html, type Markup } from './markup.ts';
import { folded } from './page-head.ts';

/** Every trial that is missing, where the sentence above counts them. */
export function missingSection(results: readonly Result[], names: readonly string[]): Markup {
  const called = variantNames(results);
  const all = results.flatMap((result, i) =>
    missingFrom(result).trials.map(({ name, variant }) =>
      labelIn(
        names[i]!,
        name.replace(variant, () => called.of(variant)),
      ),
    ),
  );
  return all.length === 0
    ? html``
    : folded(
        `Missing trials (${formatNumber(all.length)})`,
        html`<ul class="plain">
          ${all.map((name) => html`<li>${name}</li>`)}
        </ul>`,
      );
}

export function notice(results: readonly Result[]): Markup {
  const lines = [...new Set(results.flatMap(({ scenario }) => scenario.notice))];
  return lines.length === 0
    ? html``
    : html`<h2>What to notice</h2>
        <ul class="plain">
          ${lines.map((line) => html`<li>${withCode(line)}</li>`)}
        </ul>`;
}

export function patternsMarkup(results: readonly Result[]): Markup {
  const all = Object.entries(
    Object.assign({}, ...results.map((result) => result.patterns)) as Result['patterns'],
  );
  return folded(
    'The patterns',
    html`<p class="dim">
        Each has a page in the package; <code>pushbench open</code> shows them beside the results.
      </p>
      <ul class="plain">
        ${all.map(([name, { title, how, lacks }]) => {
          const gaps = Object.entries(lacks).map(([what, why]) => `${what} (${why})`);
          return html`<li id="pattern-${name}">
            <b>${title}</b> (<code>${name}</code>):
            ${how}.${gaps.length === 0 ? '' : ` Lacks: ${gaps.join('; ')}.`}${
              Object.hasOwn(patterns, name) &&
              html` On the wire, what it costs, when to use it: ${docName(name)}.`
            }
          </li>`;
        })}
      </ul>`,
  );
}

export function about(result: Result, heading: string): Markup {
  const { scenario, environment: e, command, seed, createdAt, pushbench } = result;
  const { connect, warmup, measure, drain } = scenario.phasesMs;
  return html`<h2>${heading}</h2>
    <p>Repeat it with:</p>
    <pre tabindex="0"><code>${command}</code></pre>
    <details>
      <summary>Load, phases and machine</summary>
      <p>
        ${counted(scenario.subscribers, 'subscriber')}, ${counted(scenario.topics, 'topic')},
        ${counted(scenario.events, 'measured event')} that ask for
        ${counted(scenario.deliveries, 'delivery', 'deliveries')} in each
        trial.${serversOf(result)}${wayInOf(result)} Phases: connect ${connect / 1000} s, warm-up
        ${warmup / 1000} s, measured ${measure / 1000} s, drain at most ${drain / 1000} s.${warmedUp(result)}
        Seed ${seed}.${result.state.kind === 'finished' ? '' : ' The run was cut short.'}
      </p>
      <p>
        ${createdAt}, pushbench ${pushbench}${e.commit === null ? '' : ` (${e.commit})`}, Node ${e.node},
        ${(e.programs ?? []).map((program) => `${program}, `)}${e.os}, kernel ${e.kernel}, ${e.cpu},
        ${coresText(e)}, ${memoryText(e)} of
        memory${
          e.descriptorLimit === null
            ? ''
            : `, at most ${counted(e.descriptorLimit, 'descriptor')} per process`
        }.
        ${
          result.simulated
            ? 'This machine was simulated: nothing ran on it but the trials that its profile was made of.'
            : html`All processes ran on this one machine${placeText(e)}${exceptFor(result)}.`
        }${workersOf(result)}
      </p>
    </details>
    <details>
      <summary>The scenario as run</summary>
      <pre tabindex="0"><code>${scenario.source}</code></pre>
    </details>
    <p class="dim">The full result, histograms included, is result.json beside this page.</p>`;
}

function workersOf(result: Result): string {
  const line = workersLine(result);
  return line === undefined ? '' : ` ${line}`;
}

function exceptFor(result: Result): string {
  const others = [
    ...(result.targets === undefined ? [] : ['the targets']),
    ...(workersLine(result) === undefined ? [] : ['the workers']),
  ];
  return others.length === 0 ? '' : `, except those of ${others.join(' and ')}`;
}

/** Text with what stands between backticks as code. */
function withCode(text: string): (string | Markup)[] {
  return text.split('`').map((part, i) => (i % 2 === 0 ? part : html`<code>${part}</code>`));
}

/** What was sent before the warm-up phase; nothing where there was nothing. */
function warmedUp({ trials }: Result): string {
  const deliveries = trials.flatMap(({ outcome }) =>
    outcome.status === 'completed' && outcome.warmUp ? [outcome.warmUp.deliveries] : [],
  );
  if (deliveries.length === 0) return '';
  const [least, most] = [Math.min(...deliveries), Math.max(...deliveries)].map(formatNumber);
  return (
    ` Before the warm-up, bursts of ${least === most ? most : `${least} to ${most}`} deliveries ` +
    'per trial warmed the servers up; they are in no figure.'
  );
}

const fronts: Readonly<Record<string, string>> = {
  list: 'found by a list of all',
  haproxy: 'behind HAProxy',
  'haproxy-sticky': 'behind HAProxy, each subscriber at the server that it had before',
};

/** How many servers a trial had and what was between them; nothing where each was by itself. */
function serversOf({ trials }: Result): string {
  const texts = trials.flatMap(({ outcome }) => {
    if (outcome.status !== 'completed' || !outcome.servers) return [];
    const { count, broker, inFront } = outcome.servers;
    const between = broker === 'in-process' ? 'connected by nothing' : `connected by ${broker}`;
    return `${counted(count, 'server')}, ${between}, ${fronts[inFront] ?? inFront}`;
  });
  return texts.length === 0 ? '' : ` ${[...new Set(texts)].join('; ')}.`;
}

/** How clients got in; nothing where they did so freely and in clear text. */
function wayInOf({ trials }: Result): string {
  const ways = trials.flatMap(({ outcome }) => (outcome.status === 'completed' ? (outcome.wayIn ?? []) : []));
  return ways.length === 0 ? '' : ` Clients came ${[...new Set(ways)].join(', or ')}.`;
}
