// Compares percentiles with the truth: a server that delays each delivery by a known distribution
// (bench/accuracy.ts).

import { formatUs } from '../../core/base/units.ts';
import { knownDelays } from '../accuracy.ts';
import { table, type Part } from './part.ts';

export const knownDelay: Part = {
  title: 'Percentiles against a server with known delays',
  async run(quick) {
    const all = await knownDelays(quick ? '10s' : '20s');
    const right = all.filter(({ within }) => within).length;
    return {
      claims: [
        {
          text: `${right} of ${all.length} percentiles are within 1 ms or 2 % of the truth`,
          held: right === all.length,
        },
      ],
      markdown:
        'Delays of 10 ms and an exponential part with a mean of 30 ms, to the microsecond, from ' +
        'the planned time.\n\n' +
        `${table(
          ['percentile', 'true', 'reported', 'off by'],
          all.map(({ quantile, truthUs, reportedUs }) => [
            `p${quantile * 100}`,
            formatUs(truthUs),
            formatUs(reportedUs),
            formatUs(reportedUs - truthUs),
          ]),
        )}`,
    };
  },
};
