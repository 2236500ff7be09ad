// Writes what came of the validation of simulated storms and deploys: claims with their bars, errors by
// figure, and every case. Pure.

import { counted } from '../../../core/base/counted.ts';
import { formatNumber, formatUs } from '../../../core/base/units.ts';
import { table, type Claim } from '../part.ts';
import {
  stormBars,
  stormFigures,
  stormOrderOf,
  stormSummaryOf,
  verdictsOf,
  type StormFigure,
  type StormRow,
} from './storm-judge.ts';
import { share } from './words.ts';

const titles: Record<StormFigure, string> = {
  lastBack: 'time until all are back',
  timeAway: 'median time away',
  peakConnects: 'most connections opened in a second',
  refused: 'refused attempts',
  absences: 'absences',
  connects: 'connections opened',
  missed: 'missed deliveries',
  duplicated: 'duplicates',
};
/** In which clients are told apart. */
const ordered = ['lastBack', 'peakConnects'] as const;

/**
 * @param rows at least one
 * @param seeds how many were simulated of each
 */
export function stormClaims(rows: readonly StormRow[], seeds: number): Claim[] {
  return [
    ...stormFigures.map((figure): Claim => {
      const { near, inside, either, of, median, worst } = stormSummaryOf(rows, figure);
      return {
        text:
          `${titles[figure]}: ${either} of ${counted(of, 'trial')} within ` +
          `${share(stormBars[figure])} (${near}) or inside the 95 % range of ${seeds} simulated seeds ` +
          `(${inside}); median error ${share(median)}, largest ${share(worst)}`,
        held: either === of,
      };
    }),
    ...ordered.flatMap((figure): Claim[] => {
      const { right, of } = stormOrderOf(rows, figure);
      if (of === 0) return [];
      return [
        {
          text:
            `${titles[figure]}: two kinds of clients that differ in all trials come in the right order: ` +
            `${right} of ${of}`,
          held: right === of,
        },
      ];
    }),
  ];
}

/** @param rows at least one */
export function stormMarkdown(rows: readonly StormRow[]): string {
  const errors = stormFigures.map((figure) => {
    const { near, inside, of, median, worst } = stormSummaryOf(rows, figure);
    return [titles[figure], share(median), share(worst), `${near} of ${of}`, `${inside} of ${of}`];
  });
  const stories = [...Map.groupBy(rows, ({ story }) => story)];
  return `Absolute errors of the median of the seeds, over all trials:

${table(['figure', 'median', 'largest', 'within the bar', 'inside the range'], errors)}

Every case: what each trial measured / the median of the simulated seeds, where 95 % of them lie; ✗ where a \
trial is neither within the bar nor inside the range.

${stories.map(([story, same]) => storyText(story, same)).join('\n\n')}`;
}

function storyText(story: string, rows: readonly StormRow[]): string {
  const cells = rows.map((row) => [
    `${row.clients}, ${formatNumber(row.subscribers)}`,
    ...stormFigures.map((figure) => cellText(row, figure)),
  ]);
  return `**${story[0]!.toUpperCase()}${story.slice(1)}**

${table(['clients', ...stormFigures.map((figure) => titles[figure])], cells)}`;
}

/** `2.05 s, 2.11 s / 2.08 s (2.01 s to 2.2 s)`; one figure where nothing differs. */
function cellText(row: StormRow, figure: StormFigure): string {
  const text = (value: number) => valueText(value, figure);
  const { median, low, high } = row.predicted[figure];
  const each = [...new Set(row.measured.map((one) => text(one[figure])))].join(', ');
  const range = text(low) === text(high) ? '' : ` (${text(low)} to ${text(high)})`;
  const isOff = verdictsOf(row, figure).some(({ near, inside }) => !near && !inside);
  return `${each} / ${text(median)}${range}${isOff ? ' ✗' : ''}`;
}

function valueText(value: number, figure: StormFigure): string {
  if (Number.isNaN(value)) return 'no figure';
  return figure === 'lastBack' || figure === 'timeAway'
    ? formatUs(value)
    : formatNumber(Number(value.toPrecision(4)));
}
