// Makes and checks tokens: who made it is who it names, and nothing else passes.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'vitest';
import { createTokens, subscriberName } from '../../../core/secrets/token.ts';

const tokens = createTokens(7);

test('a token names its owner, and is its HMAC by the seed', () => {
  const token = tokens.of(subscriberName(12));
  const right = createHmac('sha256', 'pushbench tokens of seed 7')
    .update('subscriber-12')
    .digest('base64url');
  assert.equal(token, `subscriber-12.${right}`);
  assert.equal(tokens.check(token), 'subscriber-12');
  assert.match(token, /^[\w.~+/-]+=*$/, 'RFC 6750, section 2.1');
});

test('no other text passes: another name, another seed, one character changed, added or left out', () => {
  const name = fc.stringMatching(/^[\w-]{1,64}$/);
  fc.assert(
    fc.property(name, name, fc.nat(), fc.nat(), (mine, other, at, seed) => {
      const token = tokens.of(mine);
      assert.equal(tokens.check(token), mine);
      const [, signature = ''] = token.split('.');
      if (other !== mine) assert.equal(tokens.check(`${other}.${signature}`), undefined);
      if (seed !== 7) assert.equal(createTokens(seed).check(token), undefined);
      const i = at % token.length;
      const changed = token.slice(0, i) + (token[i] === 'A' ? 'B' : 'A') + token.slice(i + 1);
      assert.equal(tokens.check(changed), undefined);
      assert.equal(tokens.check(token.slice(0, i) + token.slice(i + 1)), undefined);
      assert.equal(tokens.check(`${token.slice(0, i)}A${token.slice(i)}`), undefined);
    }),
  );
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => tokens.check(text) === undefined));
});
