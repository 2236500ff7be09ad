// Reads what the host sends while no connection of the trial is open: the traffic of other programs.

import { median } from '../../core/base/median.ts';
import type { Stage } from './stage.ts';

const stretches = 5;
const stretchUs = 60_000;

/**
 * Takes 0.3 s.
 * @returns bytes a second with the headers of TCP and IP: the median of five stretches, so that one request
 *   of another program in one of them says nothing of the minutes to come; undefined where it cannot be read
 */
export async function idleBytesPerS({
  fleet: { clock, probe },
  over,
}: Pick<Stage, 'fleet' | 'over'>): Promise<number | undefined> {
  const rates: number[] = [];
  let last = { atUs: clock.nowUs(), count: probe.networkCount() };
  for (let i = 0; i < stretches; i++) {
    await clock.until(last.atUs + stretchUs, over);
    const now = { atUs: clock.nowUs(), count: probe.networkCount() };
    if (!last.count || !now.count) return undefined;
    rates.push(((now.count.bytes - last.count.bytes) / (now.atUs - last.atUs)) * 1e6);
    last = now;
  }
  return Math.round(median(rates));
}
