// Lists for the warning that others were on the wire the readings just inside and just outside of each limit.
// A thousand published events explain at most 10,000 segments of 60 bytes; a twentieth more and 16 KiB, or
// 200 segments, are let pass.

import { counters, samplesOf, self, window } from './readings.ts';
import type { Case, VoidingRow } from './validity-rows.ts';

/** What the host sent in the measured phase. */
const host = (segments: number, bytes: number, idleBytesPerS = 0): Case => ({
  readings: {
    network: { from: { segments: 5, bytes: 7 }, to: { segments: 5 + segments, bytes: 7 + bytes } },
    idleBytesPerS,
  },
});
/** The same where the first load process read a million bytes. */
const read = (bytes: number): Case => ({
  readings: {
    ...host(1000, bytes).readings,
    samples: [
      samplesOf('server', 0),
      samplesOf('load', 0, [
        { sample: self(window.fromUs), counters: counters({}) },
        { sample: self(window.toUs), counters: counters({ bytesIn: 1e6 }) },
      ]),
      samplesOf('load', 1),
    ],
  },
});

export const wireRows: readonly VoidingRow[] = [
  {
    code: 'wire-others',
    when: 'more bytes than explained',
    inside: host(1000, 646_384),
    outside: host(1000, 646_385),
    says: ['sent 631 KiB', 'at most 586 KiB: 45.3 KiB or more'],
    voids: ['wire'],
  },
  {
    code: 'wire-others',
    when: 'more segments than explained',
    inside: host(10_700, 100_000),
    outside: host(10_701, 100_000),
    says: ['10,701 TCP segments', 'at most 10,000: 701 or more'],
    voids: ['wire'],
  },
  {
    code: 'wire-others',
    when: 'a twentieth was sent without the trial',
    inside: host(1000, 400_000, 2000),
    outside: host(1000, 400_000, 2001),
    says: ['1.95 KiB a second', '5 % of what it sent', '391 KiB'],
    voids: ['wire'],
  },
  {
    code: 'wire-others',
    when: 'fewer bytes than were read',
    inside: read(933_616),
    outside: read(933_615),
    says: ['saw 912 KiB', 'sent and got 977 KiB'],
    voids: ['wire'],
  },
];
