// Describes a price file, which users write: what a million requests, a gigabyte or an hour of a server cost
// them, each with its source and date. Parses its text, or says all that is wrong with it, with places.
// Reads no file itself.

import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { expectation, findingsOf } from '../base/issues.ts';
import { pathText } from '../base/overrides.ts';
import { size } from '../base/quantities.ts';
import { listNames } from '../base/suggest.ts';
import { largestFileBytes, otherKind, plainValue, readYaml } from '../base/yaml-document.ts';

const price = z.number().min(0).max(1e9).describe('in the currency of the file; 0: not charged');
const source = z.string().min(1).describe('where it is from, such as the address of a price list');
const date = z.iso
  .date({ error: 'a date such as 2026-11-30' })
  .describe('when it was looked up, such as 2026-11-30');

const priced = (what: string) => z.strictObject({ price, source, date }).describe(what);

/** All of them are asked for: what a provider does not charge costs 0, and the file says so. */
const prices = z.strictObject({
  serverHour: z
    .strictObject({
      price,
      cores: z.int().min(1).max(4096).describe('number of cores; each runs one server process'),
      memory: size.describe('of the machine, such as 4GB'),
      source,
      date,
    })
    .describe('an hour of a machine'),
  millionRequests: priced('a million requests'),
  gigabyteOut: priced('a gigabyte (10^9 bytes) from servers to clients'),
  millionConnectionMinutes: priced('a million minutes of open connections'),
  millionMessages: priced('a million messages that clients are sent'),
});

export const pricesSchema = z.strictObject({
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, { error: 'the three letters of a currency, such as EUR or USD' })
    .describe('three letters (ISO 4217), such as EUR'),
  note: z.string().min(1).optional().describe('a sentence on these prices, which answers repeat'),
  prices,
});

export type Prices = z.output<typeof pricesSchema>;
export type Priced = keyof Prices['prices'];

/**
 * @param file what to call it in messages
 * @throws UserError `prices`, a line for each mistake: `FILE:LINE:COLUMN: PATH: what is wrong`
 */
export function parsePrices(text: string, file: string): Prices {
  if (Buffer.byteLength(text) > largestFileBytes)
    throw new UserError(
      'prices',
      `${file}: a price file has at most 1 MiB, and this one has more. Is it the right file?`,
    );
  const yaml = readYaml(text);
  const mistakes = yaml.problems.map(({ line, column, message }) => ({ line, column, message }));
  const keys = Object.keys(pricesSchema.shape);
  const other = otherKind(yaml, keys);
  if (other !== undefined && !yaml.exhausting) {
    const message = `this is not a price file: expected a map with the keys ${listNames(keys)}; got ${other}`;
    return refuse(file, [{ line: 1, column: 1, message }]);
  }
  if (yaml.broken) return refuse(file, mistakes);
  const plain = plainValue(yaml);
  if ('problem' in plain) return refuse(file, [...mistakes, plain.problem]);
  const parsed = pricesSchema.safeParse(plain.value, { error: expectation });
  for (const { path, part, message } of parsed.success ? [] : findingsOf(parsed.error, plain.value))
    mistakes.push({
      ...yaml.placeOf(path, part),
      message: `${path.length === 0 ? '' : `${pathText(path)}: `}${message}`,
    });
  if (mistakes.length > 0 || !parsed.success) return refuse(file, mistakes);
  return parsed.data;
}

type Mistake = { line: number; column: number; message: string };

function refuse(file: string, mistakes: readonly Mistake[]): never {
  const lines = mistakes
    .toSorted((a, b) => a.line - b.line || a.column - b.column)
    .map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
  throw new UserError(
    'prices',
    [`The price file ${file} cannot be used:`, ...lines, 'prices/example.yaml shows how one looks.'].join(
      '\n',
    ),
  );
}
