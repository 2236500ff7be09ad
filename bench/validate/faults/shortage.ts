// Defines a shortage: something that a run is short of, and what must hold then.

import type { Miss } from './judge.ts';
import type { Space } from './space.ts';

export type Shortage = {
  name: string;
  /** Without these it cannot be made. */
  needs: readonly ('root' | 'redis')[];
  run(space: Space): Promise<Miss[]>;
};
