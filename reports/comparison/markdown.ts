// Writes a comparison as Markdown, for a job summary or a comment on a change.

import type { Comparison } from '../../core/comparison/comparison-result.ts';
import { circumstances, comparisonHeadline, countedText, intervalTitle, toldOf } from './words.ts';
import { pairLabel, variantWord } from './verdict-words.ts';
import { markdownTable, markdownText } from '../text/markdown-text.ts';
import { withRange } from '../summary/figure-text.ts';

const marks = { slower: '❌', 'not-slower': '✅', inconclusive: '➖', 'not-judged': '⚠️' } as const;

export function renderComparisonMarkdown(comparison: Comparison): string {
  const { advisory, other } = circumstances(comparison);
  const parts = [
    `## pushbench: ${markdownText(comparison.scenario)}`,
    `${marks[comparison.verdict]} **${markdownText(comparisonHeadline(comparison))}**`,
    ...comparison.variants.flatMap((judged) => [
      `### ${marks[judged.verdict]} ${markdownText(pairLabel(judged))}: ${variantWord(judged)} ` +
        `(${countedText(judged)})`,
      ...(judged.metrics.length === 0
        ? [markdownText(judged.why)]
        : [
            markdownTable(
              ['metric', 'baseline', 'candidate', 'change', intervalTitle(comparison), 'p (Holm)', 'verdict'],
              '-rrrrr-',
              toldOf(judged).rows.map(
                ({
                  title,
                  baseline,
                  candidate,
                  baselineRange,
                  candidateRange,
                  change,
                  interval,
                  p,
                  verdict,
                  metric,
                }) =>
                  [
                    title,
                    withRange(baseline, baselineRange),
                    withRange(candidate, candidateRange),
                    change,
                    interval,
                    p,
                    metric.verdict === 'slower' ? `**${verdict}**` : verdict,
                  ].map((cell) => (cell.startsWith('**') ? cell : markdownText(cell))),
              ),
            ),
            ...toldOf(judged).rest.map(markdownText),
          ]),
    ]),
    ...(advisory.length + other.length === 0
      ? []
      : [
          [
            ...advisory.map((text) => `- **Advisory**: ${markdownText(text)}.`),
            ...other.map((text) => `- ${markdownText(text)}`),
          ].join('\n'),
        ]),
  ];
  return `${parts.join('\n\n')}\n`;
}
