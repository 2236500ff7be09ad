// Joins what the phases of a trial have read into the one value that figures are made of.

import type { Window } from '../../core/protocol/control.ts';
import type { Closed } from './close.ts';
import type { Connected } from './connect.ts';
import type { Drained } from './drain.ts';
import type { Measured } from './measure.ts';
import type { Sampled } from './sampling.ts';
import type { WarmedUp } from './warm-up.ts';

/** All that was read in a trial. Each part is one phase's, and nobody changes it afterwards. */
export type Readings = Readonly<
  { window: Window } & Connected & WarmedUp & Measured & Drained & Closed & Sampled
>;
