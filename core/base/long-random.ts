// Draws seeded random numbers for streams that are longer than random.ts can make them.

import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { random, type Random } from './random.ts';

/**
 * As {@link random}, for streams of more numbers than 2^30 (that repeats itself after 2^32) and for tails: 53
 * bits a number, where that has 32. It takes twice as long.
 * Generator: xoroshiro128+ of pure-rand: 128 bits of state, period 2^128 - 1.
 */
export function longRandom(seed: number, stream: string): Random {
  const generator = xoroshiro128plus((random(seed, `long:${stream}`)() * 2 ** 32) | 0);
  return () => uniformFloat64(generator);
}
