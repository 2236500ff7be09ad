// Gives the receiving library odd options: a limit that is none is refused when it is given.

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, test } from 'vitest';
import { UserError } from '../../core/base/errors.ts';
import {
  createReceiver,
  createSeen,
  createSequencer,
  readRawBody,
  schemeNames,
  type ReceiverOptions,
  type SeenOptions,
  type SequenceOptions,
} from '../../receiver/index.ts';
import { good, odd } from './odd-options.ts';

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
        () => createSeen({ maxKeys: 1, maxAgeMs: 1, nowMs: () => value as number }).begin('a', 1),
        `clock ${name}`,
      );
  }
  refuse(() => createSeen({ maxKeys: 1, maxAgeMs: 1, maxAge: 5 } as SeenOptions), 'an unknown name');
});
