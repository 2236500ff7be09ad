// Parses and formats quantities as people write them in scenarios and read them in reports: `5s`, `200/s`,
// `1KiB`, `10%`. Inside, a quantity is a plain number with its unit in its name (`holdMs`, `sizeBytes`,
// `latencyUs`).

const durationsMs: Record<string, number> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const sizesBytes: Record<string, number> = {
  B: 1,
  kB: 1000,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

export const durationPattern = /^(\d+(?:\.\d+)?)(us|ms|s|m|h|d)$/;
export const ratePattern = /^(\d+(?:\.\d+)?)\/(ms|s|m|h|d)$/;
/** A rate of a group of topics together, or with `each` of each topic. */
export const topicRatePattern = /^(\d+(?:\.\d+)?)\/(ms|s|m|h|d)( each)?$/;
export const sizePattern = /^(\d+(?:\.\d+)?)(B|kB|MB|GB|KiB|MiB|GiB)$/;
/** A size for each second. */
export const byteRatePattern = /^(\d+(?:\.\d+)?)(B|kB|MB|GB|KiB|MiB|GiB)\/s$/;
export const sharePattern = /^(\d+(?:\.\d+)?)%$/;

/**
 * `5s` -> 5000. `undefined` when the text is not a duration. To the nanosecond: 16.1 times
 * 1000 is not quite 16100.
 */
export function parseDurationMs(text: string): number | undefined {
  const ms = scaled(durationPattern, text, (unit) => durationsMs[unit]!);
  return ms === undefined ? undefined : Math.round(ms * 1e6) / 1e6;
}

/** `200/s` -> 200 a second; `6/m` -> 0.1. */
export function parseRatePerS(text: string): number | undefined {
  return scaled(ratePattern, text, (unit) => 1000 / durationsMs[unit]!);
}

/** `10/s` -> 10 a second of all topics together; `0.5/s each` -> 0.5 a second of each of them. */
export function parseTopicRate(text: string): { perS: number; each: boolean } | undefined {
  const each = text.endsWith(' each');
  const perS = parseRatePerS(each ? text.slice(0, -' each'.length) : text);
  return perS === undefined ? undefined : { perS, each };
}

/** `1KiB` -> 1024. Never a fraction of a byte. */
export function parseSizeBytes(text: string): number | undefined {
  const bytes = scaled(sizePattern, text, (unit) => sizesBytes[unit]!);
  return bytes === undefined ? undefined : Math.round(bytes);
}

/** `2MiB/s` -> bytes a second. */
export function parseBytesPerS(text: string): number | undefined {
  return scaled(byteRatePattern, text, (unit) => sizesBytes[unit]!);
}

/** `10%` -> 0.1. */
export function parseShare(text: string): number | undefined {
  return scaled(sharePattern, text, () => 0.01);
}

function scaled(pattern: RegExp, text: string, factor: (unit: string) => number): number | undefined {
  const match = pattern.exec(text);
  return match ? Number(match[1]) * factor(match[2] ?? '') : undefined;
}

/** `1234567` -> `1.23 s`. Three significant digits in the unit that suits. */
export function formatUs(us: number): string {
  const size = Math.abs(us);
  if (size < 999.5) return `${digits(us)} µs`; // above, three digits round up to the next unit
  if (size < 999.5e3) return `${digits(us / 1000)} ms`;
  if (size < 120e6) return `${digits(us / 1e6)} s`;
  return size < 7200e6 ? `${digits(us / 60e6)} min` : `${digits(us / 3600e6)} h`;
}

/** `2048` -> `2 KiB`. */
export function formatBytes(bytes: number): string {
  const size = Math.abs(bytes);
  if (size < 1024) return `${digits(bytes)} B`;
  if (size < 1024 ** 2) return `${digits(bytes / 1024)} KiB`;
  return size < 1024 ** 3 ? `${digits(bytes / 1024 ** 2)} MiB` : `${digits(bytes / 1024 ** 3)} GiB`;
}

/** `1234567` -> `1,234,567`; fractions keep three significant digits. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  return Math.abs(value) < 1000 ? digits(value) : Math.round(value).toLocaleString('en-US');
}

/** `0.05` -> `3/m`: a rate as a scenario would write it, in the unit that takes fewest digits. */
export function writeRate(perS: number): string {
  if (perS === 0) return '0/s';
  const units = ['s', 'm', 'h', 'd'].map((unit) => {
    const value = perS * (durationsMs[unit]! / 1000);
    const short = Number(value.toPrecision(3));
    return { text: `${formatNumber(short)}/${unit}`, isExact: Math.abs(value / short - 1) < 1e-9, value };
  });
  const large = units.filter(({ value }, i) => value >= (i === 0 ? 0.1 : 1));
  return (large.find(({ isExact }) => isExact) ?? large[0] ?? units.at(-1)!).text;
}

/** `0.1534` -> `15.3 %`. */
export function formatShare(share: number): string {
  return `${digits(share * 100)} %`;
}

/** `5000` -> `5s`: a duration as a scenario would write it, shortest exact form. */
export function writeDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const value = ms / durationsMs[unit]!;
    if (value >= 1 && Number.isInteger(value * 10)) return `${value}${unit}`;
  }
  return `${ms * 1000}us`;
}

function digits(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  return size >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}
