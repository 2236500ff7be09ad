// When a client goes over to the next transport, and when it stays with the one that it has.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import {
  endsTransport,
  lateEndsTransport,
  mostShortLived,
  newFallback,
  worksAfterMs,
  type ConnectionEnd,
} from '../../../../core/policy/client/fallback.ts';

const cut = (more: Partial<ConnectionEnd> = {}): ConnectionEnd => ({
  connected: true,
  refusedWith: 0,
  asksToWait: false,
  upMs: 0,
  ...more,
});
const end = fc.record({
  connected: fc.boolean(),
  refusedWith: fc.constantFrom(0, 200, 400, 403, 429, 502, 503),
  asksToWait: fc.boolean(),
  upMs: fc.nat(2 * worksAfterMs),
});

describe('a client goes over', () => {
  test('at once when it is refused with a status', () => {
    for (const refusedWith of [200, 400, 403, 404, 426, 501, 502])
      assert.ok(endsTransport(newFallback(), cut({ refusedWith }), 2), `${refusedWith}`);
  });

  test('after connections in a row that end at once, opened or not', () => {
    const client = newFallback();
    const overs = Array.from({ length: 2 * mostShortLived + 1 }, (_, i) =>
      endsTransport(client, cut({ upMs: i % 2 === 0 ? 0 : worksAfterMs - 1 }), 2),
    );
    assert.deepEqual(overs, [false, false, true, false, false, true, false]);
    assert.equal(client.place, 2);
  });

  test('when no sign of the stream has come in time', () => {
    const client = newFallback();
    assert.deepEqual(
      [1, 2, 3].map(() => lateEndsTransport(client, 2)),
      [true, true, false],
    );
  });
});

describe('a client that begins again after a loss', () => {
  test('goes over when what has worked is refused, but not for the loss itself', () => {
    const client = newFallback(true);
    const losses = Array.from({ length: mostShortLived + 1 }, () => cut({ upMs: worksAfterMs }));
    assert.ok(losses.every((one) => !endsTransport(client, one, 2)));
    assert.ok(endsTransport(client, cut({ refusedWith: 403 }), 2));
    assert.equal(endsTransport(client, cut({ upMs: worksAfterMs }), 2), false);
    assert.equal(client.place, 1);
  });
});

describe('a client stays', () => {
  test('when what refused it speaks for the server, or nothing was there', () => {
    for (const how of [
      { refusedWith: 503 },
      { refusedWith: 401 },
      { refusedWith: 429 },
      { asksToWait: true },
      { connected: false },
    ]) {
      const client = newFallback();
      for (let i = 0; i < 100; i++) assert.equal(endsTransport(client, cut(how), 2), false);
    }
  });

  test('with what has worked once, whatever happens later', () => {
    fc.assert(
      fc.property(fc.array(end), (ends) => {
        const client = newFallback();
        assert.equal(endsTransport(client, cut({ upMs: worksAfterMs }), 2), false);
        assert.ok(ends.every((one) => !endsTransport(client, one, 2)));
        assert.equal(lateEndsTransport(client, 2), false);
        assert.equal(client.place, 0);
      }),
    );
  });

  test('with the last, and moves on by one at most each time', () => {
    fc.assert(
      fc.property(fc.array(end), fc.nat(2), (ends, last) => {
        const client = newFallback();
        for (const one of ends) {
          const before = client.place;
          const over = endsTransport(client, one, last);
          assert.equal(client.place, before + Number(over));
        }
        assert.ok(client.place <= last);
      }),
    );
  });
});
