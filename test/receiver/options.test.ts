// The receiving library fails closed: whatever options, clocks and headers it is given, nothing old is
// believed, and a limit that is none is refused when it is given.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, test, vi } from 'vitest';
import { UserError } from '../../core/base/errors.ts';
import { nextWaitMs, retryPolicies } from '../../core/policy/webhook/retry-policy.ts';
import {
  createReceiver,
  createSeen,
  createSequencer,
  readRawBody,
  schemeNames,
  schemes,
  type ReceiverOptions,
  type SeenOptions,
  type SequenceOptions,
} from '../../receiver/index.ts';

const good: ReceiverOptions = {
  scheme: 'standard',
  secrets: [schemes.standard.newSecret()],
  onDelivery: () => {},
};

/** What a program without types may hand over. */
const odd = {
  NaN: Number.NaN,
  minusOne: -1,
  infinite: Infinity,
  minusInfinite: -Infinity,
  text: '300',
  nothing: null,
  list: [300],
  map: {},
  yes: true,
  big: 10n,
  invalidDate: new Date(Number.NaN),
  date: new Date(),
  object: { valueOf: () => 300 },
};

// Odd on purpose.
const made = (options: object) => () => createReceiver({ ...good, ...options } as ReceiverOptions);

describe('a receiver is not made with', () => {
  const rows: [option: string, values: object, message: RegExp][] = [
    ['toleranceS', odd, /^toleranceS must be a number from 0 to 31,622,400; it is /],
    [
      'maxBodyBytes',
      { ...odd, fraction: 1.5, tooLarge: 2 ** 31 },
      /^maxBodyBytes must be a whole number from 0 to 1,073,741,824; it is /,
    ],
    ['nowS', { ...odd, number: 5 }, /^nowS must be a function; it is /],
    ['onDelivery', { ...odd, missing: undefined }, /^onDelivery must be a function; it is /],
    [
      'scheme',
      {
        ...odd,
        missing: undefined,
        inherited: '__proto__',
        constructor: 'constructor',
        unknown: 'none',
        cased: 'Standard',
      },
      /^scheme must be one of standard, .*; it is /,
    ],
    [
      'secrets',
      { text: 'whsec_x', missing: undefined, nothing: null, map: { 0: 'a', length: 1 } },
      /^secrets must be a list of texts; it is /,
    ],
    [
      'secrets',
      { many: Array.from({ length: 17 }, () => good.secrets[0]) },
      /^the number of secrets must be/,
    ],
    [
      'secrets',
      { number: [5], missing: [undefined], list: [['a', 'b']], map: [{ length: 5 }], empty: [''], none: [] },
      /secret/,
    ],
    ['toleranceMs', { any: 5 }, /^createReceiver has no option "toleranceMs"; did you mean "toleranceS"\?/],
    ['remember', { text: 'x', number: 5 }, /^the dedupe store takes an object of options; this is of type/],
  ];
  for (const [option, values, message] of rows) {
    test(`an odd ${option}: ${Object.keys(values).join(', ')}`, () => {
      for (const value of Object.values(values)) {
        assert.throws(
          made({ [option]: value }),
          (error: Error) => {
            assert.ok(
              error instanceof TypeError || error instanceof RangeError || error instanceof UserError,
              String(error),
            );
            assert.match(error.message, message);
            return true;
          },
          String(value),
        );
      }
    });
  }

  test('no options at all', () => {
    for (const options of [undefined, null, 5]) {
      assert.throws(
        () => createReceiver(options as unknown as ReceiverOptions),
        /^TypeError: createReceiver takes an object of options; this is /,
      ); // odd on purpose
    }
  });

  test('a secret that is a list or an object, in any scheme: Buffer.from would make zeros of it', () => {
    for (const scheme of schemeNames) {
      for (const secret of [['a', 'b'], { length: 8 }, new Uint8Array(32), 5, undefined, null]) {
        assert.throws(
          made({ scheme, secrets: [secret] }),
          (error) => error instanceof UserError && error.code === 'bad-secret',
          `${scheme} ${String(secret)}`,
        );
      }
    }
  });
});

test('good options make one: the bounds themselves, and undefined as if left out', () => {
  for (const options of [
    { toleranceS: 0 },
    { toleranceS: 31_622_400 },
    { toleranceS: 0.5 },
    { maxBodyBytes: 0 },
    { toleranceS: undefined, maxBodyBytes: undefined, nowS: undefined, remember: undefined },
  ]) {
    assert.doesNotThrow(made(options));
  }
});

test('bounds of the dedupe store, the sequencer and the body are checked when they are given', () => {
  const refuse = (make: () => unknown, what: string) =>
    assert.throws(make, (error) => error instanceof TypeError || error instanceof RangeError, what);
  const values = Object.entries({ ...odd, missing: undefined });
  for (const [name, value] of values) {
    // Odd on purpose, here and below.
    refuse(() => createSeen({ maxKeys: value, maxAgeMs: 1 } as SeenOptions), `maxKeys ${name}`);
    if (name !== 'infinite')
      refuse(() => createSeen({ maxKeys: 1, maxAgeMs: value } as SeenOptions), `maxAgeMs ${name}`);
    refuse(
      () => createSequencer({ maxHeld: value, maxWaitMs: 1, maxTopics: 1 } as SequenceOptions),
      `maxHeld ${name}`,
    );
    if (name !== 'infinite')
      refuse(
        () => createSequencer({ maxHeld: 1, maxWaitMs: value, maxTopics: 1 } as SequenceOptions),
        `maxWaitMs ${name}`,
      );
    refuse(
      () => createSequencer({ maxHeld: 1, maxWaitMs: 1, maxTopics: value } as SequenceOptions),
      `maxTopics ${name}`,
    );
    refuse(() => readRawBody(Readable.from([]), value as number, () => {}), `maxBytes ${name}`);
    if (name !== 'missing')
      refuse(
        () => createSequencer({ maxHeld: 1, maxWaitMs: 1, maxTopics: 1, first: value } as SequenceOptions),
        `first ${name}`,
      );
    const sequencer = createSequencer<number>({ maxHeld: 1, maxWaitMs: 1, maxTopics: 1 });
    refuse(() => sequencer.accept('a', value as number, 1, 0), `seq ${name}`);
    if (name !== 'minusOne') refuse(() => sequencer.accept('a', 1, 1, value as number), `nowMs ${name}`);
    if (name !== 'minusOne') refuse(() => sequencer.tick(value as number), `tick ${name}`);
    if (name !== 'minusOne')
      refuse(
        () => createSeen({ maxKeys: 1, maxAgeMs: 1, nowMs: () => value as number }).begin('a'),
        `clock ${name}`,
      );
  }
  refuse(() => createSeen({ maxKeys: 1, maxAgeMs: 1, maxAge: 5 } as SeenOptions), 'an unknown name');
});

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
