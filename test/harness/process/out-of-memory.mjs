// A child of the harness that ends as a process does that has run out of memory: with the same
// words, by the same signal.

import { writeSync } from 'node:fs';

const frames = Array.from(
  { length: 40 },
  (_, i) => `${i + 1}: 0x${(0xf461e5 + i).toString(16)} v8::internal::Heap::CollectGarbage [node]`,
);
writeSync(
  2,
  `
<--- Last few GCs --->

[16201:0x2c241000]      359 ms: Mark-Compact (reduce) 9.2 (11.4) -> 9.2 (11.4) MB, \
last resort; GC in old space requested

FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory
----- Native stack trace -----

${frames.join('\n')}
`,
);
process.abort();
