// Counts things in words: a number with its noun, one or several.

import { formatNumber } from './units.ts';

/** `1 trial`, `1,200 trials`, `2 deliveries`. @param many the plural, where it is more than an `s` */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${plural(count, one, many)}`;
}

/** The form that goes with the number: `was` or `were`, `trial` or `trials`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? one : many;
}
