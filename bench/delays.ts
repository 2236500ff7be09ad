// Deals the known delays: 10 ms and an exponential part with a mean of 30 ms. They are a thousand, at the
// middles of the thousandths, dealt in turn in an order that mixes long and short.

const count = 1000;
/** Coprime to the count, so that the walk meets each delay once. */
const stride = 379;

const quantileUs = (u: number) => Math.round(10_000 - Math.log(1 - u) * 30_000);

export const delaysUs: readonly number[] = Array.from({ length: count }, (_, i) =>
  quantileUs((((i * stride) % count) + 0.5) / count),
);

/** The truth: the smallest delay with at least this share of the delays at or below it. */
export function trueQuantileUs(quantile: number): number {
  return [...delaysUs].sort((a, b) => a - b)[Math.ceil(quantile * count) - 1]!;
}
