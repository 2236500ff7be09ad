// Lists of subscribers that ask for compression the reading that is told, and one that is not.

import { patterns } from '../../../core/pattern/registry.ts';
import { variantOf } from '../../../core/pattern/variant.ts';
import { closedBy, counters } from './readings.ts';
import type { Row } from './validity-rows.ts';

const compressedOf = (compressed: number) => ({
  closed: [
    closedBy(
      {},
      { counters: counters({ handshakes: 5, events: 5500, bytesIn: 1e6, bytesOut: 1000, compressed }) },
    ),
    closedBy(),
  ],
});
const gzipped = variantOf(patterns, 'sse', patterns.sse.options.parse({ gzip: true }));

export const compressionRows: readonly Row[] = [
  {
    code: 'not-compressed',
    inside: { variant: gzipped, readings: compressedOf(5) },
    outside: { variant: gzipped, readings: compressedOf(0) },
    says: ['asked for gzip, and nothing came compressed', 'those of plain text'],
  },
  {
    code: 'not-compressed',
    when: 'none was asked for',
    inside: { readings: compressedOf(0) },
    outside: { variant: gzipped, readings: compressedOf(0) },
    says: ['gzip'],
  },
];
