// Lets streams and sockets have their turns in virtual time: none is silent for longer than its interval, and
// only who does not answer is given up.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { decideHeartbeat, decidePing, heartbeatTurnMs } from '../../../../core/policy/server/heartbeat.ts';

const heartbeatMs = 1000;
const endMs = 20_000;

test('a stream is never silent for longer than the interval, nor sent a heartbeat without need', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: heartbeatTurnMs(heartbeatMs) }),
      fc.uniqueArray(fc.integer({ min: 1, max: endMs }), { maxLength: 30 }),
      (firstTurnMs, events) => {
        const writes = new Set(events);
        let quiet = false;
        const written = [0];
        for (let nowMs = 1; nowMs <= endMs; nowMs++) {
          if (writes.has(nowMs)) {
            quiet = false;
            written.push(nowMs);
          }
          if ((nowMs - firstTurnMs) % heartbeatTurnMs(heartbeatMs) !== 0) continue;
          const decision = decideHeartbeat(quiet, true, false);
          quiet = !quiet;
          if (decision === 'nothing') continue;
          assert.equal(decision, 'send');
          assert.ok(nowMs - written.at(-1)! >= heartbeatTurnMs(heartbeatMs));
          written.push(nowMs);
        }
        written.push(endMs);
        for (const [i, ms] of written.entries()) assert.ok(ms - (written[i - 1] ?? 0) <= heartbeatMs);
      },
    ),
  );
});

test('nothing is added to what waits, and who has said goodbye and does not read is ended', () => {
  assert.deepEqual(
    [
      decideHeartbeat(true, true, true),
      decideHeartbeat(true, false, true),
      decideHeartbeat(false, false, true),
    ],
    ['nothing', 'end', 'nothing'],
  );
});

test('a socket is ended at its third turn without a word from the client, and never if there is one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ isHeard: fc.boolean(), isOpen: fc.boolean(), isBusy: fc.boolean() })),
      (turns) => {
        let unanswered = 0;
        for (const [i, { isHeard, isOpen, isBusy }] of turns.entries()) {
          if (isHeard) unanswered = 0;
          const lastHeard = turns.slice(0, i + 1).findLastIndex((turn) => turn.isHeard);
          const decision = decidePing(unanswered, isOpen, isBusy);
          // Turns since, this one among them; from the beginning on when it was never heard.
          const silentTurns = i - lastHeard + (lastHeard < 0 ? 0 : 1);
          if (decision === 'end') {
            assert.ok(silentTurns > 2);
            return;
          }
          assert.ok(silentTurns <= 2);
          assert.equal(decision, isOpen && !isBusy ? 'send' : 'nothing');
          unanswered++;
        }
      },
    ),
  );
});
