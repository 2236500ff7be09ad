// Checks options that programs of others give to exported functions. A comparison with NaN or undefined is
// never true, so a limit that is one limits nothing; it is refused when it is given, in a sentence.

import { formatNumber } from './units.ts';
import { nearest } from './suggest.ts';

/** @throws TypeError when the value is not a number, RangeError when it is not one of those allowed */
export function requireNumber(
  name: string,
  value: unknown,
  { least, most, whole = false }: { least: number; most: number; whole?: boolean },
): void {
  const isNumber = typeof value === 'number';
  // NaN is in no range.
  if (isNumber && value >= least && value <= most && (!whole || Number.isInteger(value))) return;
  const rule = `${name} must be a ${whole ? 'whole ' : ''}number from ${shown(least)} to ${shown(most)}`;
  if (!isNumber) throw new TypeError(`${rule}; it is ${kindOf(value)}`);
  throw new RangeError(`${rule}; it is ${value}`);
}

/** @throws TypeError */
export function requireFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(`${name} must be a function; it is ${kindOf(value)}`);
}

/**
 * Refuses names that mean nothing: a misspelt option would leave its default in force.
 * @throws TypeError for a value that is not an object, or that has unknown options
 */
export function requireNames(what: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`${what} takes an object of options; this is ${kindOf(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    const instead = near === undefined ? `there are ${known.join(', ')}` : `did you mean "${near}"?`;
    throw new TypeError(`${what} has no option "${name}"; ${instead}`);
  }
}

/** Not the value itself: it may be a secret in the wrong place. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  return Array.isArray(value) ? 'a list' : `of type ${typeof value}`;
}

function shown(value: number): string {
  return Number.isFinite(value) ? formatNumber(value) : String(value);
}
