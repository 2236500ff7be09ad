// Writes the page of claims as Markdown: first the wrong ones and those that depend, then all of them by
// theme, with what was measured. It takes only the claims and their figures, so the same figures make the
// same page.

import {
  verdictOf,
  type Claim,
  type Claims,
  type Figure,
  type Figures,
  type Measured,
  type Verdict,
} from '../../core/comparison/claims.ts';
import { formatMetric } from '../../core/metrics/metric.ts';

/** In the order of the page. */
const words: Record<Verdict | 'unmeasured' | 'untested', string> = {
  wrong: '**wrong**',
  depends: '*depends*',
  right: 'right',
  unmeasured: 'no figure',
  untested: 'not tested yet',
};
const order = Object.keys(words) as (keyof typeof words)[];

export function renderClaims({ article, themes, claims }: Claims, figures: Figures): string {
  const rows = claims
    .map((claim) => rowOf(claim, figures))
    .sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  const of = (verdict: Row['verdict']) => rows.filter((row) => row.verdict === verdict);
  const summary = order
    .filter((verdict) => of(verdict).length > 0)
    .map((verdict) => `${of(verdict).length} ${words[verdict].replaceAll('*', '')}`)
    .join(', ');
  const measured = Object.entries(figures.scenarios).sort(([a], [b]) => (a < b ? -1 : 1));
  return `# The article's claims, measured

This page checks by scenarios and tests what the article *${article}* says. \
The verdicts on its ${rows.length} claims: ${summary}.

${list('Wrong', of('wrong'))}${list('It depends', of('depends'))}## All claims by theme
Each table has the wrong claims first, then those that depend. \
This page is made by \`pushbench claims\` from [docs/results/claims.json](results/claims.json); \
the claims and the rules of their verdicts are in \`scenarios/article/claims.yaml\`. \
Where no figure decides a claim, the test that does is named. \
Figures are of one machine and one run unless they say otherwise: \
rankings and ratios carry over to other machines, milliseconds do not.

${Object.entries(themes)
  .map(([theme, title]) => ({ title, own: rows.filter((row) => row.theme === theme) }))
  .filter(({ own }) => own.length > 0)
  .map(({ title, own }) => table(title, own))
  .join('\n\n')}

## What was run
${measured
  .map(
    ([name, { createdAt, pushbench, commit, machine, command }]) =>
      `- \`${name}\`: ${createdAt.slice(0, 10)}, pushbench ` +
      `${pushbench}${commit === null ? '' : ` (${commit})`}, ${machine}. Repeat it with \`${command}\`.`,
  )
  .join('\n')}
`;
}

/** A heading, and for each claim a line with the condition that it depends on, or with what was measured. */
function list(title: string, rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const lines = rows.map(
    ({ says, dependsOn, text }) => `- **${oneLine(says)}** ${dependsOn ?? oneLine(text)}`,
  );
  return `## ${title}\n${lines.join('\n')}\n\n`;
}

function table(title: string, rows: readonly Row[]): string {
  const lines = rows.map(({ says, by, text, dependsOn, verdict }) => {
    const measured = dependsOn === undefined ? text : `${dependsOn} ${text}`;
    return `| ${cell(says)} | ${by} | ${cell(measured)} | ${words[verdict]} |`;
  });
  return `### ${title}
| claim | tested by | measured | verdict |
| --- | --- | --- | --- |
${lines.join('\n')}`;
}

type Row = {
  theme: string;
  says: string;
  by: string;
  text: string;
  /** A sentence, where the verdict is "depends" and the claim says on what. */
  dependsOn?: string;
  verdict: keyof typeof words;
};

function rowOf(claim: Claim, figures: Figures): Row {
  const { theme, says } = claim;
  const row = { theme, says };
  if ('untested' in claim) return { ...row, by: '', text: claim.untested, verdict: 'untested' };
  if ('published' in claim) {
    const { verdict, text, source } = claim.published;
    return {
      ...row,
      by: 'published sources',
      text: `${text} (${source})`,
      verdict,
      ...condition(claim.published, verdict),
    };
  }
  if ('held' in claim) {
    const { verdict, text, file } = claim.held;
    return { ...row, by: `\`${file}\``, text, verdict, ...condition(claim.held, verdict) };
  }
  const { verdict, text } = judged(claim, figures);
  return { ...row, by: `\`${claim.scenario}\``, text, verdict, ...condition(claim, verdict) };
}

function condition(
  { dependsOn }: { dependsOn?: string | undefined },
  verdict: Row['verdict'],
): { dependsOn?: string } {
  return verdict === 'depends' && dependsOn !== undefined ? { dependsOn: `It depends on ${dependsOn}.` } : {};
}

function judged(claim: Measured, { scenarios }: Figures): Pick<Row, 'text' | 'verdict'> {
  const figures = scenarios[claim.scenario]?.claims[claim.id];
  if (!figures) return { text: 'The scenario has not been run for this page.', verdict: 'unmeasured' };
  const missing = Object.keys(claim.figures).filter((name) => (figures[name]?.value ?? null) === null);
  if (missing.length > 0)
    return { text: `No trial that counts gave ${missing.join(', ')}.`, verdict: 'unmeasured' };
  const verdict = verdictOf(claim, figures)!; // none is missing
  const text =
    claim.text[verdict] ??
    Object.entries(figures)
      .map(([name, figure]) => `${name} ${written(figure)}`)
      .join(', ');
  const limit = scenarios[claim.scenario]!.descriptorLimit;
  return {
    text: text
      .replaceAll('{descriptor-limit}', limit === null ? 'unknown' : limit.toLocaleString('en-US'))
      .replace(/\{([a-z0-9-]+)\}/g, (_, name: string) => written(figures[name]!)),
    verdict,
  };
}

function written({ value, unit, atLeast }: Figure): string {
  const rounded =
    unit === 'count' || unit === 'per-s'
      ? Number((value ?? 0).toPrecision(Math.abs(value ?? 0) >= 1000 ? 5 : 3))
      : (value ?? 0);
  return (
    `${atLeast ? 'at least ' : ''}` +
    formatMetric(Math.abs(rounded) >= 1000 ? Math.round(rounded) : rounded, unit)
  );
}

function cell(text: string): string {
  return oneLine(text).replaceAll('|', String.raw`\|`);
}

function oneLine(text: string): string {
  return text.replaceAll('\n', ' ');
}
