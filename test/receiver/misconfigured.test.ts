// Makes receivers wrongly, in each way that people do: every one is refused when it is made, with a sentence
// that says which option it is and what to do.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { UserError } from '../../core/base/errors.ts';
import { createReceiver, schemes, type ReceiverOptions, type SchemeName } from '../../receiver/index.ts';
import { good } from './odd-options.ts';

const [secret] = good.secrets;
const noStore = /^store must be an object with begin, finish and forget; it is /;

class Store {
  begin() {}
  finish() {}
  forget() {}
}

const rows: [way: string, options: unknown, says: RegExp][] = [
  ['nothing', undefined, /^createReceiver takes an object of options; this is undefined$/],
  ['null', null, /^createReceiver takes an object of options; this is null$/],
  ['a secret alone', secret, /^createReceiver takes an object of options; this is of type string$/],
  ['a list', [good], /^createReceiver has no option "0"; there are scheme, secrets, /],
  ['no scheme', { scheme: undefined }, /^scheme must be one of standard, .*slack; it is undefined$/],
  ['another scheme', { scheme: 'shopify' }, /^scheme must be one of standard, .*; it is none of them$/],
  ['a scheme in capitals', { scheme: 'Stripe' }, /^scheme must be one of /],
  ['a property of all objects', { scheme: '__proto__' }, /^scheme must be one of /],
  ['no secrets', { secrets: undefined }, /^secrets must be a list of texts; it is undefined$/],
  ['a text for a list', { secrets: secret }, /^secrets must be a list of texts; it is of type string$/],
  ['secret for secrets', { secret }, /^createReceiver has no option "secret"; did you mean "secrets"\?$/],
  ['an empty list', { secrets: [] }, /^a receiver needs at least one secret to verify with/],
  [
    'an unset variable',
    { secrets: [process.env['NOWHERE_SET']] },
    /^secrets\[0\] is undefined: is the environment variable set /,
  ],
  [
    'an unset variable in a text',
    { secrets: [`${process.env['NOWHERE_SET']}`] },
    /^secrets\[0\] is undefined: /,
  ],
  ['an empty secret', { secrets: [secret, ''] }, /^secrets\[1\] is empty: is the environment variable set /],
  ['a list in the list', { secrets: [[secret]] }, /^secrets\[0\] must be a text; it is a list$/],
  ['bytes', { secrets: [Buffer.alloc(32)] }, /^secrets\[0\] must be a text; it is of type object$/],
  ['a line end', { secrets: [`${secret}\n`] }, /^secrets\[0\] has white space before or behind it/],
  [
    'no base64',
    { secrets: ['whsec_a-b-c'] },
    /^secrets\[0\]: a webhook secret is .*; this one is not base64$/,
  ],
  [
    'a short secret',
    { secrets: ['whsec_c2hvcnQ='] },
    /^secrets\[0\]: .* 24 to 64 random bytes; this one holds 5$/,
  ],
  ['17 secrets', { secrets: Array(17).fill(secret) }, /^the number of secrets must be .* to 16; it is 17$/],
  ['an API key', of('stripe', 'sk_live_abc'), /^secrets\[0\] is an API key; .* begins with whsec_$/],
  ['an access token', of('github', 'ghp_abc'), /^secrets\[0\] is an access token; .* webhook's settings$/],
  ['a bot token', of('slack', 'xoxb-abc'), /^secrets\[0\] is a token; .* app's Basic Information$/],
  [
    'the private key',
    of('standard-ed25519', schemes['standard-ed25519'].newSecret()),
    /^secrets\[0\] is the private key of the sender; a receiver takes the public one, whpk_/,
  ],
  ['a key of another kind', of('standard-ed25519', secret!), /^secrets\[0\]: an ed25519 key is "whsk_" and /],
  ['no onDelivery', { onDelivery: undefined }, /^onDelivery must be a function; it is undefined$/],
  ['what onDelivery returns', { onDelivery: Promise.resolve() }, /^onDelivery must be a function; it is /],
  ['another name for it', { onEvent() {} }, /^createReceiver has no option "onEvent"; there are /],
  [
    'toleranceS NaN',
    { toleranceS: Number.NaN },
    /^toleranceS must be a number from 0 to 31,622,400; it is NaN$/,
  ],
  ['toleranceS endless', { toleranceS: Infinity }, /^toleranceS must be .*; it is Infinity$/],
  ['toleranceS negative', { toleranceS: -1 }, /^toleranceS must be .*; it is -1$/],
  ['toleranceS as text', { toleranceS: '300' }, /^toleranceS must be .*; it is of type string$/],
  ['toleranceS null', { toleranceS: null }, /^toleranceS must be .*; it is null$/],
  [
    'tolerance',
    { tolerance: 300 },
    /^createReceiver has no option "tolerance"; did you mean "toleranceS"\?$/,
  ],
  ['timeoutMs 0', { timeoutMs: 0 }, /^timeoutMs must be a number from 1 to 3,600,000; it is 0$/],
  ['timeoutMs endless', { timeoutMs: Infinity }, /^timeoutMs must be .*; it is Infinity$/],
  [
    'maxBodyBytes as text',
    { maxBodyBytes: '1mb' },
    /^maxBodyBytes must be a whole number .*; it is of type string$/,
  ],
  [
    'maxBodyBytes endless',
    { maxBodyBytes: Infinity },
    /^maxBodyBytes must be .* to 1,073,741,824; it is Infinity$/,
  ],
  [
    'remember true',
    { remember: true },
    /^the dedupe store takes an object of options; this is of type boolean$/,
  ],
  ['no maxKeys', { remember: { maxAgeMs: 1e9 } }, /^maxKeys must be a whole number .*; it is undefined$/],
  ['no maxAgeMs', { remember: { maxKeys: 9 } }, /^maxAgeMs must be a number .*; it is undefined$/],
  [
    'maxKeys endless',
    { remember: { maxKeys: Infinity, maxAgeMs: 1e9 } },
    /^maxKeys must be .*; it is Infinity$/,
  ],
  [
    'ids forgotten before signatures grow old',
    { remember: { maxKeys: 9, maxAgeMs: 60_000 } },
    /^maxAgeMs must be at least toleranceS, 300000 ms; it is 60000: a request that is played again would /,
  ],
  [
    'two memories',
    { remember: { maxKeys: 9, maxAgeMs: 1e9 }, store: new Store() },
    /^give either remember \(in memory\) or store; both were given$/,
  ],
  ['a store that is a function', { store: () => {} }, noStore],
  ['the class of a store', { store: Store }, noStore],
  [
    'a store in the making',
    { store: Promise.resolve(new Store()) },
    /^store\.begin must be a function; it is /,
  ],
  [
    'a store that cannot forget',
    { store: { begin() {}, finish() {} } },
    /^store\.forget must be a function; /,
  ],
  ['a time for a clock', { nowS: 1_700_000_000 }, /^nowS must be a function; it is of type number$/],
  ['a text for a hook', { onProblem: 'log' }, /^onProblem must be a function; it is of type string$/],
];

function of(scheme: SchemeName, text: string): Partial<ReceiverOptions> {
  return { scheme, secrets: [text] };
}

test.each(rows)('%s', (_way, options, says) => {
  // Odd on purpose.
  const given = isPart(options) ? { ...good, ...options } : (options as ReceiverOptions);
  assert.throws(
    () => createReceiver(given),
    (error: Error) => {
      const isInWords =
        error instanceof TypeError || error instanceof RangeError || error instanceof UserError;
      assert.ok(isInWords, String(error));
      assert.match(error.message, says);
      assert.ok(!error.message.includes(secret!), 'no secret is repeated');
      return true;
    },
  );
});

test('without any of this one is made, whose store is an instance of a class', () => {
  createReceiver({ ...good, store: new Store() as never }); // its answers are checked when they are given
});

function isPart(options: unknown): options is Partial<ReceiverOptions> {
  return typeof options === 'object' && options !== null && !Array.isArray(options);
}
