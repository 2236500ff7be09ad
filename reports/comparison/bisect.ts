// Prints what a bisection found: the commit, the figure that it changed, and every step on the way.

import { commitName, type Bisection } from '../../core/comparison/bisect.ts';
import { printable } from '../../core/base/printable.ts';
import { titleOf } from './verdict-words.ts';

export function renderBisection({ good, bad, lead, steps, end }: Bisection): string {
  const figure = lead && `${titleOf(lead.metric)} of ${lead.variant}`;
  const lines: string[] = [];
  switch (end.kind) {
    case 'found':
      lines.push(`First bad commit: ${commitName(end.commit)}`);
      break;
    case 'narrowed':
      lines.push(
        'The first bad commit is one of these; those between them could not be measured or decided:',
        ...end.suspects.map((one) => `  ${commitName(one)}`),
        'More pairs may decide it: --pairs NUMBER.',
      );
      break;
    case 'not-worse':
      lines.push(
        `${commitName(bad)} is not shown to be worse than ${commitName(good)} (${end.why}), so there is ` +
          'nothing to look for. More pairs (--pairs), or a scenario that shows the difference, may do so.',
      );
      break;
    case 'unfinished':
      lines.push('The bisection was not completed; these steps were measured:');
  }
  if (figure !== undefined) lines.push(`Gone by: ${figure}, against ${commitName(good)}.`);
  const width = Math.max(0, ...steps.map(({ verdict }) => verdict.length));
  for (const step of steps)
    lines.push(`  ${step.verdict.padEnd(width)}  ${commitName(step)}: ${step.why.split('\n', 1)[0]}`);
  return `${printable(lines.join('\n'))}\n`;
}
