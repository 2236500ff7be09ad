// Writes the page of claims as Markdown: each with what was measured and the verdict that follows. It takes
// nothing but the claims and their figures, so the same figures always make the same page.

import {
  verdictOf,
  type Claim,
  type Figure,
  type Figures,
  type Verdict,
} from '../../core/comparison/claims.ts';
import { formatMetric } from '../../core/metrics/metric.ts';

const words: Record<Verdict | 'unmeasured' | 'untested', string> = {
  right: 'right',
  wrong: '**wrong**',
  depends: '*depends*',
  unmeasured: 'no figure',
  untested: 'not tested yet',
};

export function renderClaims(article: string, claims: readonly Claim[], figures: Figures): string {
  const rows = claims.map((claim) => rowOf(claim, figures));
  const count = (verdict: string) => rows.filter((row) => row.verdict === verdict).length;
  const summary = (Object.keys(words) as (keyof typeof words)[])
    .filter((verdict) => count(verdict) > 0)
    .map((verdict) => `${count(verdict)} ${words[verdict].replaceAll('*', '')}`)
    .join(', ');
  const measured = Object.entries(figures.scenarios).sort(([a], [b]) => (a < b ? -1 : 1));
  return `# The article's claims, measured

What the article *${article}* says, the scenario or the test that holds it to account, \
what came out, and what follows: ${summary}.

This page is made by \`pushbench claims\` from [docs/results/claims.json](results/claims.json); \
the claims and the rules of their verdicts stand in \`scenarios/article/claims.yaml\`. \
A claim that no figure decides names a test of this repository that does. \
Figures are of one machine and one run unless they say otherwise: \
rankings and ratios carry over, milliseconds do not.

| claim | tested by | measured | verdict |
| --- | --- | --- | --- |
${rows
  .map(({ says, by, text, verdict }) => `| ${cell(says)} | ${by} | ${cell(text)} | ${words[verdict]} |`)
  .join('\n')}

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

type Row = { says: string; by: string; text: string; verdict: keyof typeof words };

function rowOf(claim: Claim, { scenarios }: Figures): Row {
  const { says } = claim;
  if ('untested' in claim) return { says, by: '', text: claim.untested, verdict: 'untested' };
  if ('published' in claim) {
    const { verdict, text, source } = claim.published;
    return { says, by: 'published sources', text: `${text} (${source})`, verdict };
  }
  if ('held' in claim) {
    const { verdict, text, file } = claim.held;
    return { says, by: `\`${file}\``, text, verdict };
  }
  const by = `\`${claim.scenario}\``;
  const figures = scenarios[claim.scenario]?.claims[claim.id];
  if (!figures)
    return { says, by, text: 'The scenario has not been run for this page.', verdict: 'unmeasured' };
  const missing = Object.keys(claim.figures).filter((name) => (figures[name]?.value ?? null) === null);
  if (missing.length > 0)
    return { says, by, text: `No trial that counts gave ${missing.join(', ')}.`, verdict: 'unmeasured' };
  const verdict = verdictOf(claim, figures)!; // none is missing
  const text =
    claim.text[verdict] ??
    Object.entries(figures)
      .map(([name, figure]) => `${name} ${written(figure)}`)
      .join(', ');
  const limit = scenarios[claim.scenario]!.descriptorLimit;
  return {
    says,
    by,
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
  return text.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ');
}
