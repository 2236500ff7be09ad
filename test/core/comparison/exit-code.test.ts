// Turns verdicts into exit codes: what is proven fails, what was asked for and not judged too, what is open
// only when asked to.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { exitCodes } from '../../../core/base/errors.ts';
import {
  comparisonExitCode,
  type Advisory,
  type FailOn,
} from '../../../core/comparison/comparison-result.ts';
import { judge } from '../../../core/comparison/judge.ts';
import { about, p50, pairsOf } from './ratio-pairs.ts';
import { paired, reading } from './readings.ts';

test(
  'exit codes: what is proven fails; timings that prove ' + 'nothing, and open questions, only when asked',
  () => {
    const slow = judge([paired(pairsOf(about(1.2, 0.03)))], [p50]);
    const open = judge([paired(pairsOf(about(1, 0.3)))], [p50]);
    const lost = judge(
      [paired([{ baseline: reading({ missed: 0 }), candidate: reading({ missed: 4 }) }])],
      [{ kind: 'loss', metric: 'missed' }],
    );
    const few = pairsOf(about(1, 0.01, 4)).map(({ baseline, candidate }) => ({
      baseline: { ...baseline, values: { ...baseline.values, missed: 0 } },
      candidate: { ...candidate, values: { ...candidate.values, missed: 0 } },
    }));
    const both = judge([paired(few)], [p50, { kind: 'loss', metric: 'missed' }]);
    const blocked: Advisory = { code: 'not-interleaved', message: '' };
    const other: Advisory = { code: 'scenario', message: '' };
    const rows: [typeof slow, Advisory[], FailOn[], number][] = [
      [slow, [], [], exitCodes.slower],
      [slow, [blocked], [], exitCodes.inconclusive],
      [slow, [blocked], ['advisory'], exitCodes.slower],
      [open, [], [], exitCodes.ok],
      [open, [], ['inconclusive'], exitCodes.inconclusive],
      [lost, [blocked], [], exitCodes.slower],
      [lost, [other], [], exitCodes.ok],
      [judge([paired([])], [p50]), [], [], exitCodes.inconclusive],
      [judge([], [p50]), [], [], exitCodes.inconclusive],
      [judge([paired(pairsOf(about(1, 0.01, 4)))], [p50]), [], [], exitCodes.inconclusive],
      // Advice is not asked for; but where nothing else gates, nothing was judged.
      [open, [blocked], [], exitCodes.inconclusive],
      [both, [blocked], [], exitCodes.ok],
      [both, [blocked], ['advisory'], exitCodes.inconclusive],
      [both, [], [], exitCodes.inconclusive],
    ];
    for (const [judged, advisory, failOn, code] of rows)
      assert.equal(
        comparisonExitCode({ ...judged, advisory } as Parameters<typeof comparisonExitCode>[0], failOn),
        code,
      );
  },
);
