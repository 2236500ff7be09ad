// Secrets in whatever a target may say: properties over the codings, one inside another, with any text around
// and any cut.

import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { test } from 'vitest';
import { quote, redact, shortestSecret } from '../../../core/secrets/redact.ts';
import { coreOf, encoders } from './encoders.ts';

const character = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }) },
  { weight: 3, arbitrary: fc.constantFrom(...'"\\/%+ &<>=\'?#\t{}$:') },
  fc.constantFrom('é', 'ß', '€', '😀', '字'),
);
const secret = fc
  .array(character, { minLength: shortestSecret, maxLength: 24 })
  .map((characters) => characters.join(''))
  .filter((text) => text.trim().length >= shortestSecret);
const around = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.constantFrom('', '"', '\\', '%', '%4', '&', '&#', '\\u00', 'A', '0', 'ab', '=', '+', 'token: '),
);

const names = Object.keys(encoders);

test('any secret in any coding with anything around it: none of it is left', () => {
  fc.assert(
    fc.property(secret, fc.constantFrom(...names), around, around, (value, name, left, right) => {
      const encoded = encoders[name]!(value);
      const core = coreOf(name, encoded);
      const clean = redact(`${left}${encoded}${right}`, [{ name: 'TOKEN', value }]);
      // Of four bytes nothing may remain in base64 but what the bytes around it share.
      if (core.length >= 3)
        assert.ok(!clean.replaceAll('${TOKEN}', '').includes(core), JSON.stringify({ name, encoded, clean }));
      if (!`${left}${right}`.includes('$') && !value.includes('$'))
        assert.match(clean, /\$\{TOKEN\}|\$\{\.\.\.\}|not shown/);
    }),
    { numRuns: 3000 },
  );
});

test('in a coding inside another, with a plain border between: none of it is left', () => {
  fc.assert(
    fc.property(secret, fc.constantFrom(...names), fc.constantFrom(...names), (value, inner, outer) => {
      const encoded = encoders[outer]!(` ${encoders[inner]!(value)} `);
      const clean = redact(`said: ${encoded} .`, [{ name: 'TOKEN', value }]);
      if (inner.includes('case') || outer.includes('case')) return; // base64 in another case cannot be read
      assert.match(
        clean,
        /\$\{TOKEN\}|\$\{\.\.\.\}|not shown/,
        JSON.stringify({ inner, outer, encoded, clean }),
      );
    }),
    { numRuns: 1500 },
  );
});

test('a quote shows no part of a secret that stands across its cut, in any coding', () => {
  fc.assert(
    fc.property(
      secret.filter((value) => value.length >= 8),
      fc.constantFrom(...names),
      fc.nat(60),
      fc.integer({ min: 1, max: 60 }),
      (value, name, before, most) => {
        const encoded = encoders[name]!(value);
        const shown = quote(`${'.'.repeat(before)} ${encoded} and more`, most, [{ name: 'TOKEN', value }]);
        if (most <= before) assert.equal(shown, '.'.repeat(most));
        else if (most > before + 1 + encoded.indexOf(coreOf(name, encoded)))
          assert.match(shown, /\$\{TOKEN\}|\$\{\.\.\.\}|not shown/, JSON.stringify({ name, encoded, shown }));
      },
    ),
    { numRuns: 1000 },
  );
});

test('what holds no secret stays as it is', () => {
  const secrets = [
    { name: 'TOKEN', value: 'tok-8841-xyz' },
    { name: 'KEY', value: 'QUJDREVG"/+' },
  ];
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => assert.equal(redact(text, secrets), text)),
    { numRuns: 2000 },
  );
  for (const text of [
    'the server answered 404 where a stream was asked for',
    '{"id":"k3f9a1-57","topic":"news","body":"%41\\u0041&amp;"}',
  ])
    assert.equal(redact(text, secrets), text);
  assert.equal(redact('anything', []), 'anything');
});

test('several secrets, one inside another, and one that is called like its value', () => {
  const secrets = [
    { name: 'USER', value: 'anna' },
    { name: 'LOGIN', value: 'anna:open sesame' },
    { name: 'TOKEN', value: 'token' },
  ];
  assert.equal(redact('for anna: anna:open+sesame, token', secrets), 'for ${USER}: ${LOGIN}, ${...}');
  assert.equal(
    redact(`Basic ${Buffer.from('anna:open sesame').toString('base64')}`, secrets),
    'Basic ${LOGIN}==',
  );
});

test(
  'a text of the largest size that is quoted takes no long time, whatever it looks like',
  { timeout: 60_000 },
  () => {
    const secrets = [{ name: 'TOKEN', value: 'tok-8841-xyz'.repeat(100) }];
    for (const unit of ['A', '%41', '\\u0041', '\\\\', '&#65;', '41', 'A\n', '%25', '&amp;'])
      redact(unit.repeat((64 * 1024) / unit.length), secrets);
  },
);

test('an answer that comes to each of many requests is cleaned once for each length of its quote', () => {
  const secrets = [{ name: 'TOKEN', value: 'tok-8841' }];
  const answer =
    '{"error":"too%20many &amp; \\u0041 QUJDREVGR0hJSktMTU5P 550e8400-e29b-41d4-a716-446655440000"}'.repeat(
      4,
    );
  const work = () => {
    for (let i = 0; i < 200_000; i++) quote(answer, 100 + (i % 2), secrets);
    return [quote(answer, 5, secrets), quote(answer, 9, secrets)].join(' ');
  };
  // Ends the work by force: so many cleanings would take more than a minute.
  const quotes: unknown = runInNewContext('work()', { work }, { timeout: 20_000 });
  assert.equal(quotes, `${answer.slice(0, 5)} ${answer.slice(0, 9)}`);
});
