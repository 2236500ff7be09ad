// Describes many values by a few whole numbers: the latencies of exchangeable clients rise in even steps, so
// a million of them are one progression. All arithmetic is on whole numbers below 2^53 and so exact.

/**
 * The values `firstUs + k * stepUs + floor((offset + k * rest) / per)` for k = 0 to n - 1: steps of
 * stepUs + rest/per microseconds, each value cut to a whole microsecond.
 */
export type Progression = {
  readonly n: number;
  readonly firstUs: number;
  readonly stepUs: number;
  /** 0 up to, and not including, `per`. */
  readonly rest: number;
  readonly offset: number;
  readonly per: number;
};

/** So many clients at the most in one: that many times as many parts of a microsecond stay below 2^53. */
export const mostInGroup = 2 ** 26;

/** `n` times the same. */
export function same(n: number, atUs: number): Progression {
  return steps(n, atUs, 0);
}

/** Whole steps: `firstUs`, `firstUs + stepUs`, ... */
export function steps(n: number, firstUs: number, stepUs: number): Progression {
  return checked({ n, firstUs, stepUs, rest: 0, offset: 0, per: 1 });
}

/** `n` values from `firstUs` to `lastUs`, both among them, evenly spaced. */
export function between(n: number, firstUs: number, lastUs: number): Progression {
  return n === 1 ? same(1, firstUs) : spaced(n, firstUs, lastUs - firstUs, n - 1);
}

/**
 * `n` values of which `per` span `spanUs`: phases of `per` clients that poll once in `spanUs`, from the
 * `from`-th of them on.
 * @param firstUs where the phase 0 lies
 */
export function spaced(n: number, firstUs: number, spanUs: number, per: number, from = 0): Progression {
  const stepUs = Math.floor(spanUs / per);
  const rest = spanUs - stepUs * per;
  const parts = from * rest;
  const whole = Math.floor(parts / per);
  return checked({
    n,
    firstUs: firstUs + from * stepUs + whole,
    stepUs,
    rest,
    offset: parts - whole * per,
    per,
  });
}

function checked(one: Progression): Progression {
  const { n, firstUs, stepUs, rest, offset, per } = one;
  const whole =
    Number.isSafeInteger(n) &&
    Number.isSafeInteger(per) &&
    Number.isSafeInteger(firstUs) &&
    Number.isSafeInteger(stepUs) &&
    Number.isSafeInteger(rest) &&
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(firstUs + n * (stepUs + 1));
  const fits = n >= 1 && n <= mostInGroup && per >= 1 && per <= mostInGroup;
  const rises = stepUs >= 0 && rest >= 0 && rest < per && offset >= 0 && offset < per;
  if (whole && fits && rises) return one;
  throw new RangeError(
    `no progression of whole microseconds that rises and has 1 to ${mostInGroup} values: ` +
      JSON.stringify(one),
  );
}

/** The value number `k`, from 0. */
export function valueAt({ firstUs, stepUs, rest, offset, per }: Progression, k: number): number {
  return firstUs + k * stepUs + Math.floor((offset + k * rest) / per);
}

export function lastUs(one: Progression): number {
  return valueAt(one, one.n - 1);
}

/** How many of the values lie below `us`, any number. */
export function countBelow(one: Progression, us: number): number {
  const { n, firstUs, stepUs, rest, offset, per } = one;
  if (us <= firstUs) return 0;
  const step = stepUs + rest / per;
  if (step === 0) return n;
  // Below a whole number of microseconds is the same before and after the values are cut.
  const guess = (us - firstUs - offset / per) / step;
  if (guess >= n + 1) return n;
  let k = Math.ceil(guess);
  // A double is wrong by less than this, so only at a whole number can `k` be off by one.
  if (Math.abs(guess - Math.round(guess)) < 1e-6) {
    k = Math.round(guess) - 1;
    while (k < n && valueAt(one, k) < us) k++;
  }
  return k < 0 ? 0 : k > n ? n : k;
}

/** All values together, exact while it is below 2^53. */
export function sumUs({ n, firstUs, stepUs, rest, offset, per }: Progression): number {
  const whole = n * firstUs + ((n * (n - 1)) / 2) * stepUs;
  return rest === 0 ? whole : whole + floorSum(n, per, rest, offset);
}

/** The sum of floor((a * k + b) / m) for k = 0 to n - 1, by Euclid's algorithm: a dozen steps for any n. */
function floorSum(n: number, m: number, a: number, b: number): number {
  let sum = 0;
  while (n > 0) {
    const [wholeA, wholeB] = [Math.floor(a / m), Math.floor(b / m)];
    sum += ((n * (n - 1)) / 2) * wholeA + n * wholeB;
    const [restA, restB] = [a - wholeA * m, b - wholeB * m];
    const most = restA * n + restB;
    if (most < m) return sum;
    // Columns become rows: count the points under the line from the other side.
    n = Math.floor(most / m);
    b = most - n * m;
    [a, m] = [m, restA];
  }
  return sum;
}

/** The same values, later by `us`; earlier where it is negative. */
export function shifted(one: Progression, us: number): Progression {
  return checked({ ...one, firstUs: one.firstUs + us });
}

/**
 * The first `k` values and the others, where something tells them apart.
 * @returns undefined for a part without values
 */
export function split(one: Progression, k: number): [Progression | undefined, Progression | undefined] {
  if (k <= 0) return [undefined, one];
  if (k >= one.n) return [one, undefined];
  const { n, firstUs, stepUs, rest, offset, per } = one;
  const parts = offset + k * rest;
  const whole = Math.floor(parts / per);
  return [
    { ...one, n: k },
    { ...one, n: n - k, firstUs: firstUs + k * stepUs + whole, offset: parts - whole * per },
  ];
}

/** Those below `us` and the others. */
export function splitAt(one: Progression, us: number): [Progression | undefined, Progression | undefined] {
  return split(one, countBelow(one, us));
}
