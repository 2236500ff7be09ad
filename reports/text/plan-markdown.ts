// Writes the answer to a capacity question as Markdown, for a meeting.

import type { CapacityPlan } from '../../core/capacity/capacity-plan.ts';
import { headlineText, planNotes, planParts, questionText } from '../summary/capacity.ts';
import { codeSpan, markdownTable, markdownText } from './markdown-text.ts';

export function renderPlanMarkdown(plan: CapacityPlan): string {
  const list = (lines: readonly string[]) => lines.map((line) => `- ${markdownText(line)}`).join('\n');
  const parts = [
    '# Capacity',
    `**${markdownText(headlineText(plan))}**`,
    `For ${markdownText(questionText(plan))}.`,
    ...planParts(plan).flatMap(({ title, table, intro, below }) => [
      `## ${markdownText(title)}`,
      markdownTable(
        ['', ...table.columns.map((column) => column.title)],
        `-${'r'.repeat(table.columns.length)}`,
        table.rows.map(({ label, cells }) => [
          markdownText(label),
          ...cells.map(({ text }) => markdownText(text)),
        ]),
      ),
      ...(intro === undefined ? [] : [markdownText(intro)]),
      ...(below.length === 0 ? [] : [list(below)]),
    ]),
    '## Beside the figures',
    list(planNotes(plan)),
    `Again: ${codeSpan(plan.command)}`,
  ];
  return `${parts.join('\n\n')}\n`;
}
