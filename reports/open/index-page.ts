// Draws the page that `pushbench open` begins with: the runs, newest first, each with its answer and its
// forms.

import { counted } from '../../core/base/counted.ts';
import type { Verdict } from '../../core/comparison/comparison-result.ts';
import type { RunSummary } from './archive.ts';
import { formats } from '../export/formats.ts';
import { html, type Markup } from '../page/markup.ts';
import { pageOf } from '../page/page-of.ts';

/** The forms of a stored comparison that its row links to. */
export const comparisonForms = [
  'report.html',
  'markdown',
  'junit',
  'comparison.json',
  'baseline.html',
  'candidate.html',
] as const;

/** So many results still fit one chart. */
export const mostSideBySide = 8;

/**
 * @param more how many older runs there are besides
 * @param docs pages of the documentation: address and title
 */
export function indexPage(
  folder: string,
  runs: readonly RunSummary[],
  more: number,
  docs: readonly { path: string; title: string }[],
): string {
  return pageOf(
    'Runs',
    html`<h1>${folder}</h1>
      <p class="headline">
        ${runs.length === 0 ? 'No runs yet' : `${counted(runs.length + more, 'run')}, newest first`}
      </p>
      ${
        runs.length === 0
          ? html`<p>A run writes its result below this folder: <code>pushbench run</code>.</p>`
          : runTable(runs)
      }
      ${more > 0 && html`<p class="dim">${counted(more, 'older run')} not listed.</p>`} ${histories(runs)}
      ${
        docs.length > 0 &&
        html`<h2>How the patterns work</h2>
          <ul class="plain">
            ${docs.map(({ path, title }) => html`<li><a href="${path}">${title}</a></li>`)}
          </ul>`
      }`,
  );
}

function runTable(runs: readonly RunSummary[]): Markup {
  const readable = runs.filter(({ status }) => status === 'read').length;
  const heads = [
    ...(readable > 1 ? [html`<span class="dim">select</span>`] : []),
    'scenario',
    'when (UTC)',
    'answer',
    'validity',
    'verdict',
    'forms',
  ];
  const table = html`<div class="scroll" role="region" aria-label="Runs" tabindex="0">
    <table class="runs">
      <caption>
        <span>Each run with its answer and its forms</span>
      </caption>
      <thead>
        <tr>
          ${heads.map((head) => html`<th scope="col">${head}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${runs.map((run) => row(run, readable > 1))}
      </tbody>
    </table>
  </div>`;
  if (readable < 2) return table;
  return html`<form action="/side-by-side">
    ${table}
    <p>
      <button>Show selected in one report</button>
      <span class="dim">on the same axes, at most ${mostSideBySide}</span>
    </p>
    <p>
      <button formaction="/compare">Compare two selected</button>
      <span class="dim"
        >the newer against the older; timings of runs that did not take turns are advisory</span
      >
    </p>
  </form>`;
}

/** The scenarios that were run more than once, each with a link to how its figures went. */
function histories(runs: readonly RunSummary[]): Markup {
  const often = [
    ...Map.groupBy(
      runs.flatMap((run) => (run.status === 'read' ? [run.scenario] : [])),
      (name) => name,
    ),
  ].filter(([, all]) => all.length > 1);
  if (often.length === 0) return html``;
  return html`<h2>Trends</h2>
    <ul class="plain">
      ${often.map(
        ([name, all]) =>
          html`<li>
            <a href="/history/${encodeURIComponent(name)}">${name}</a>, ${counted(all.length, 'run')}
          </li>`,
      )}
    </ul>`;
}

const verdictMarks: Readonly<Record<Verdict, 'good' | 'bad' | 'dim'>> = {
  slower: 'bad',
  'not-judged': 'bad',
  inconclusive: 'dim',
  'not-slower': 'good',
};

function row(run: RunSummary, ticks: boolean): Markup {
  const at = `/runs/${encodeURIComponent(run.name)}`;
  const when = run.createdAt.toISOString().slice(0, 19).replace('T', ' ');
  if (run.status === 'unreadable') {
    return html`<tr>
      ${ticks && html`<td></td>`}
      <th scope="row">${run.name}</th>
      <td class="when">${when}</td>
      <td class="text" colspan="4"><span class="bad">cannot be read:</span> ${run.problem}</td>
    </tr>`;
  }
  if (run.status === 'compared') {
    return html`<tr>
      ${ticks && html`<td></td>`}
      <th scope="row">
        <a href="${at}/report.html">${run.scenario}: ${run.candidate} against ${run.baseline}</a>
      </th>
      <td class="when">${when}</td>
      <td class="text">${run.headline}</td>
      <td>
        <span class="${run.counted < run.given ? 'bad' : 'good'}"
          >${run.counted} of ${run.given} ${run.of} valid</span
        >
      </td>
      <td><span class="${verdictMarks[run.verdict]}">${run.word}</span></td>
      <td class="text forms">
        ${comparisonForms.map(
          (form) => html`<a href="${at}/${form}">${form.replace(/\.html$|^comparison\./, '')}</a> `,
        )}
      </td>
    </tr>`;
  }
  const { scenario, headline, trials, valid, expectations, held, missing, whole, simulated } = run;
  const others = Object.entries(formats).filter(([name]) => name !== 'html');
  return html`<tr>
    ${
      ticks &&
      html`<td>
        <input type="checkbox" name="run" value="${run.name}" aria-label="${scenario}, ${when}" />
      </td>`
    }
    <th scope="row">
      <a href="${at}/report.html">${scenario}</a>${simulated && html` <span class="pill">simulated</span>`}
    </th>
    <td class="when">${when}</td>
    <td class="text">${headline}</td>
    <td>
      <span class="${valid < trials || !whole ? 'bad' : 'good'}"
        >${valid} of ${counted(trials + missing, 'trial')} valid${!whole && ', cut short'}</span
      >
    </td>
    <td>
      ${
        expectations === ''
          ? 'no expectations'
          : html`<span class="${held ? 'good' : 'bad'}">${expectations}</span>`
      }
    </td>
    <td class="text forms">
      <a href="${at}/report.html">report</a>
      ${others.map(([name]) => html`<a href="${at}/${name === 'json' ? 'result.json' : name}">${name}</a> `)}
    </td>
  </tr>`;
}
