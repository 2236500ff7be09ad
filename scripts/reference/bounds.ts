// Finds the bounds of a quantity or a text by trying what the schema accepts, because a JSON schema does not
// show checks that are code.

import { z } from 'zod';
import {
  byteRatePattern,
  durationPattern,
  ratePattern,
  sharePattern,
  sizePattern,
  topicRatePattern,
} from '../../core/base/units.ts';

/**
 * A bound in words, a value that it lets in, and values beyond it: the next one, and a round one, as some
 * keys take whole seconds alone. Nothing is beyond where there is nothing smaller or larger.
 */
type Edge = readonly [says: string, inside: string, ...beyond: string[]];
type Quantity = { name: string; pattern: RegExp; least: readonly Edge[]; most: readonly Edge[] };

const shareEdges = {
  least: [
    ['0%', '0%'],
    ['more than 0%', '0.001%', '0%'],
  ],
  most: [
    ['50%', '50%', '50.001%'],
    ['100%', '100%', '100.001%'],
  ],
} as const;
const rateEdges = { least: [['0/s', '0/s']], most: [['10000/ms', '10000/ms', '10001/ms']] } as const;

/** Every bound that a scenario has; one that is missing here ends the script with an error. */
const quantities: readonly Quantity[] = [
  {
    name: 'duration',
    pattern: durationPattern,
    least: [
      ['0s', '0s'],
      ['1ms', '1ms', '999us'],
      ['1s', '1s', '999ms'],
    ],
    most: [
      ['10s', '10s', '10001ms', '11s'],
      ['24d', '24d', '25d'],
    ],
  },
  { name: 'rate', pattern: ratePattern, ...rateEdges },
  { name: 'rate', pattern: topicRatePattern, ...rateEdges },
  {
    name: 'size',
    pattern: sizePattern,
    least: [
      ['0B', '0B'],
      ['1B', '1B', '0B'],
    ],
    most: [
      ['1MiB', '1MiB', '1048577B'],
      ['8MiB', '8MiB', '8388609B'],
      ['1024GiB', '1024GiB', '1025GiB'],
    ],
  },
  {
    name: 'bytes a second',
    pattern: byteRatePattern,
    least: [
      ['0B/s', '0B/s'],
      ['1KiB/s', '1KiB/s', '1023B/s'],
    ],
    most: [['1024GiB/s', '1024GiB/s', '1025GiB/s']],
  },
  { name: 'share', pattern: sharePattern, ...shareEdges },
];

export type Limits = { quantity?: string; bounds?: string };

/**
 * What a text has to be.
 * @param pattern of its JSON schema
 * @returns a quantity's name and its bounds, empty where they lie elsewhere; of any other text the reader's
 *   own words for what it expects
 */
export function limitsOf(schema: z.core.$ZodType, pattern: string): Limits {
  const accepts = (text: string) => z.safeParse(schema, text).success;
  const quantity = quantities.find((one) => one.pattern.source === pattern);
  if (!quantity) return { bounds: refusalOf(schema) };
  const found = (edges: readonly Edge[]) =>
    edges.find(([, inside, ...beyond]) => accepts(inside) && !beyond.some((text) => accepts(text)))?.[0];
  const [least, most] = [found(quantity.least), found(quantity.most)];
  if (least === undefined || most === undefined) return { quantity: quantity.name, bounds: '' };
  const from = least.startsWith('more than') ? `${least}, up to` : `${least} to`;
  return { quantity: quantity.name, bounds: `${from} ${most}` };
}

/** Longer words of the reader are for a message; the description of such a key says the same. */
const mostLetters = 70;

/** What the reader says of a text that is none; empty where it has no words of its own. */
function refusalOf(schema: z.core.$ZodType): string {
  const { error } = z.safeParse(schema, '\0\n');
  const message = error?.issues[0]?.message ?? '';
  return message.startsWith('Invalid') || message.length > mostLetters ? '' : message;
}
