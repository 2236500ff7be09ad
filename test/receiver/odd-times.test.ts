// Gives the receiving library odd clocks, times and tolerances: it fails closed, and believes nothing old.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, test, vi } from 'vitest';
import { nextWaitMs, retryPolicies } from '../../core/policy/webhook/retry-policy.ts';
import { createReceiver, schemeNames, schemes } from '../../receiver/index.ts';
import { good, odd } from './odd-options.ts';

const bodyOf = '{"id":"evt_1"}';

for (const name of schemeNames) {
  const { newSecret, key, receiverSecret, sign, verify } = schemes[name];
  const keys = [key(newSecret())];
  const own = [keys[0]!];
  const at = 1_700_000_000;
  const timed = name !== 'github';

  describe(name, () => {
    test('odd options are refused, whatever the request', () => {
      const headers = sign(keys, { id: 'a', timestampS: at, body: bodyOf });
      for (const value of Object.values(odd)) {
        for (const option of ['nowS', 'toleranceS']) {
          for (const given of [headers, {}]) {
            assert.throws(
              () => verify(own, given, bodyOf, { nowS: at, [option]: value }),
              (error) => error instanceof TypeError || error instanceof RangeError,
              `${option} ${String(value)}`,
            );
          }
        }
      }
      assert.throws(
        () => verify(own, headers, bodyOf, { nowS: at, tolerance: 5 } as object),
        /verify has no option "tolerance"; did you mean "toleranceS"\?/,
      );
      assert.equal(receiverSecret(newSecret()) !== '', true);
    });

    // GitHub's scheme signs no time.
    if (!timed) return;
    test('any numbers: accepted only within the tolerance', () => {
      const headers = sign(keys, { id: 'a', timestampS: at, body: bodyOf });
      fc.assert(
        fc.property(
          fc.oneof(fc.double(), fc.integer({ min: at - 1000, max: at + 1000 })),
          fc.oneof(fc.double(), fc.integer({ min: 0, max: 1000 })),
          (nowS, toleranceS) => {
            let ok = false;
            try {
              ({ ok } = verify(own, headers, bodyOf, { nowS, toleranceS }));
            } catch (error) {
              assert.ok(error instanceof RangeError);
            }
            const ageS = nowS - at;
            // Stripe's own library accepts times in the future too.
            const within =
              Number.isFinite(nowS) &&
              toleranceS >= 0 &&
              ageS <= toleranceS &&
              (name === 'stripe' || -ageS <= toleranceS);
            assert.ok(!ok || within, `${nowS} ${toleranceS}`);
            if (within && nowS >= 0 && nowS <= 1e12 && toleranceS <= 31_622_400) assert.ok(ok);
          },
        ),
        { numRuns: 500 },
      );
    });

    test('a time that is no plain number of seconds is never accepted, though it is rightly signed', () => {
      const texts = [
        'NaN',
        '1e400',
        'Infinity',
        '+5',
        ' 5',
        '5 ',
        '-5',
        '',
        '0x6553F100',
        `${at}.0`,
        `${at}n`,
        '9'.repeat(13),
        '9'.repeat(400),
        '１７',
        `${at}\n`,
        'undefined',
        'null',
        '[object Object]',
        '1_700_000_000',
      ];
      fc.assert(
        fc.property(
          fc.oneof(fc.constantFrom(...texts), fc.string({ unit: fc.constantFrom(...'0159 +-.eENa,\n') })),
          (text) => {
            // Signed as the scheme signs, over whatever stands in place of the time.
            // Its text is what is signed.
            const headers = sign(keys, { id: 'a', timestampS: text as unknown as number, body: bodyOf });
            let ok = false;
            for (const options of [{ nowS: at }, { nowS: 5 }, { nowS: 0 }])
              ok ||= verify(own, headers, bodyOf, options).ok;
            assert.ok(!ok || /^\d{1,12}$/.test(text), JSON.stringify(text));
          },
        ),
        { numRuns: 500, examples: texts.map((text): [string] => [text]) },
      );
    });
  });
}

test(
  'a clock of the application that gives no time: nothing is ' + 'believed, the sender is told to come again',
  async (t) => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    const secret = schemes.standard.newSecret();
    const old = Math.floor(Date.now() / 1000) - 25 * 365 * 86_400;
    const headers = schemes.standard.sign([schemes.standard.key(secret)], {
      id: 'a',
      timestampS: old,
      body: bodyOf,
    });
    let acted = 0;
    const clocks: (() => unknown)[] = [
      () => Number.NaN,
      () => new Date(Number.NaN),
      () => undefined,
      () => '5',
      () => -1,
      () => Infinity,
      () => assert.fail('the clock stands'),
    ];
    for (const nowS of clocks) {
      const receiver = createReceiver({
        ...good,
        secrets: [secret],
        onDelivery: () => void acted++,
        nowS: nowS as () => number,
      }); // odd on purpose
      const server = createServer((request, response) => void receiver.handle(request, response)).listen(
        0,
        '127.0.0.1',
      );
      await new Promise((resolve) => server.once('listening', resolve));
      t.onTestFinished(() => void server.close());
      const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, {
        method: 'POST',
        headers,
        body: bodyOf,
      });
      assert.equal(response.status, 500);
      await response.body?.cancel();
      assert.deepEqual([receiver.counts().failed, receiver.counts().accepted], [1, 0]);
    }
    assert.equal(acted, 0);
    assert.equal(said.mock.calls.length, clocks.length);
  },
);

test('a Retry-After that is no number makes no timer fire at once', () => {
  for (const policy of Object.values(retryPolicies)) {
    for (const retryAfterMs of [Number.NaN, -1, Infinity, undefined]) {
      const waitMs = nextWaitMs(policy, 1, () => 0.5, { retryAfterMs });
      assert.ok(waitMs === undefined || Number.isFinite(waitMs), String(retryAfterMs));
    }
  }
});
