// Makes the cells of a capacity plan's tables: figures with their errors, and what each of them rests on.

import { formatNumber, formatShare, formatUs } from '../../core/base/units.ts';
import type { Ground, PlanFigure } from '../../core/capacity/capacity-plan.ts';
import { offShareText } from './simulated.ts';
import type { Cell, Row, Table } from './summary-table.ts';

export type PlanCell = Cell & {
  /** What its figure rests on. */
  from?: Ground;
  /** What a form with room for it says below the figure. */
  more?: string;
};
export type PlanTable = Table & { rows: (Row & { cells: PlanCell[] })[] };
export type PartId = 'servers' | 'breaks' | 'month' | 'bill' | 'rests';
/** A table, with the text above and below it. */
export type PlanPart = {
  id: PartId;
  title: string;
  table: PlanTable;
  /** What the lines below the table are about, if the title does not say it. */
  intro?: string;
  below: string[];
};

type CellText = string | Pick<PlanCell, 'text' | 'from' | 'more'>;

export function planTable<R extends { label: string; pattern: string }>(
  titles: readonly string[],
  rows: readonly R[],
  cells: (row: R) => CellText[],
): PlanTable {
  return {
    columns: titles.map((title) => ({ key: title, title, note: '' })),
    rows: rows.map((row) => ({
      label: row.label,
      pattern: row.pattern,
      out: undefined,
      cells: cells(row).map((cell) => ({
        ...(typeof cell === 'string' ? { text: cell } : cell),
        value: undefined,
      })),
    })),
    notes: [],
  };
}

/** A plan is not told nearer than this. */
const leastOff = 0.01;

/** `80 % ±12 %`, with what it rests on. */
export function figureCell({ value, off, from }: PlanFigure, format: (value: number) => string): CellText {
  const sign = value === 0 ? '' : offShareText(off ? Math.max(off, leastOff) : off);
  return { text: sign === '' ? format(value) : `${format(value)} ${sign}`, from };
}

/** As `figureCell`; a dash where a server that is full has none. */
export function latencyCell(latencyUs: PlanFigure | null): CellText {
  return latencyUs === null ? '—' : figureCell(latencyUs, formatUs);
}

/** `254 (451)`: in brackets the worst case, where it reads differently; null where it is not known. */
export function withWorst(value: number, worst: number | null, unknown: string): string {
  const [text, worstText] = [wholeNumber(value), worst === null ? unknown : wholeNumber(worst)];
  return text === worstText ? text : `${text} (${worstText})`;
}

export function roundShare(share: number): string {
  return formatShare(Number(share.toPrecision(2)));
}

export function wholeNumber(value: number): string {
  return formatNumber(value < 10 ? Number(value.toPrecision(2)) : Math.round(value));
}

/** Of 10^9 bytes, as traffic is charged. */
export function gigabytes(bytes: number): string {
  return `${wholeNumber(bytes / 1e9)} GB`;
}
