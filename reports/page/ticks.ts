// Chooses where an axis has its ticks and how they read, so that every axis has some that can be read.

/** Thousands as k, fractions as they are: SI's m for a thousandth reads as milli-something. */
export const plainLabels =
  "abs(datum.value) < 1000 ? format(datum.value, '~g') : format(datum.value, '.6~s')";

/** Fewer than these say little of what lies between them. */
const fewest = 3;
const decades = Array.from({ length: 19 }, (_, i) => 10 ** (i - 6));
const digitsOf = [[1], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9]];

/**
 * Ticks of a logarithmic axis that ends where its values do: powers of ten, with as many digits between them
 * as it takes for three; between values that are close, even steps.
 */
export function logTicks(values: readonly number[]): number[] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const within = (ticks: readonly number[]) => ticks.filter((tick) => tick >= least && tick <= most);
  const found = digitsOf
    .map((digits) =>
      within(decades.flatMap((decade) => digits.map((digit) => Number((digit * decade).toPrecision(1))))),
    )
    .find((ticks) => ticks.length >= fewest);
  return found ?? evenSteps(least, most);
}

function evenSteps(least: number, most: number): number[] {
  const rough = (most - least) / (fewest + 1);
  if (!(rough > 0)) return [Number(least.toPrecision(3))];
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5].map((digit) => digit * unit).findLast((one) => one <= rough) ?? unit;
  const first = Math.ceil(least / step);
  return Array.from({ length: Math.floor(most / step) - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(6)),
  );
}
