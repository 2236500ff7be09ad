// Writes the answer to a capacity question for a terminal.

import { styleText } from 'node:util';
import type { CapacityPlan } from '../../core/capacity/capacity-plan.ts';
import { headlineText, planNotes, planParts, questionText } from '../summary/capacity.ts';
import { tableLines, type Paint } from './table.ts';
import { wrapped, type TerminalOptions } from './wrap.ts';

/** Lines are no longer, however wide the terminal is. */
const mostColumns = 100;

export function renderPlan(plan: CapacityPlan, { columns: wide, color }: TerminalOptions): string {
  const columns = Math.min(wide || mostColumns, mostColumns);
  const paint: Paint = (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
  const say = (text: string) => wrapped(text, columns);
  const lines = [
    paint('bold', say(headlineText(plan))),
    say(`For ${questionText(plan)}.`),
    '',
    ...planParts(plan).flatMap(({ title, table, intro, below }) => [
      paint('bold', say(title)),
      ...tableLines(table, columns, paint).filter((line) => line !== ''),
      ...(intro === undefined ? below : [intro, ...below]).map((line) => paint('dim', say(line))),
      '',
    ]),
    ...planNotes(plan).map(say),
  ];
  return `${lines.join('\n')}\n`;
}
