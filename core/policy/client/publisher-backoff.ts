// Decides how long the publisher of a trial waits before it tries again to reach a server that has gone.

import type { Backoff } from './presets.ts';

/** It tries once more at once, as servers close idle connections, and from then on waits with full jitter. */
export const publisherBackoff: Backoff = { base: 20, cap: 1000 };
