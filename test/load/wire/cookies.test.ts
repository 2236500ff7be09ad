// What a client keeps of Set-Cookie, with undici's parser as the judge.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { getSetCookies, Headers } from 'undici';
import { test } from 'vitest';
import {
  cookieHeader,
  longestCookie,
  mostCookies,
  setCookieSeparator,
  takeCookies,
} from '../../../load/wire/cookies.ts';
import { parseHead } from '../../../load/wire/head-fields.ts';

const token = fc.stringMatching(/^[a-zA-Z][\w-]{0,8}$/);
const value = fc.stringMatching(/^[\w:/.~-]{1,12}$/);
const attribute = fc.constantFrom(
  '; Path=/',
  '; HttpOnly',
  '; Secure',
  '; SameSite=Lax',
  '; Max-Age=60',
  '; Expires=Wed, 21 Oct 2999 07:28:00 GMT',
);
const field = fc
  .tuple(token, value, fc.array(attribute, { maxLength: 3 }))
  .map(([name, text, attributes]) => `${name}=${text}${attributes.join('')}`);

test('names and values are those that undici reads, the last of a name counts', () => {
  fc.assert(
    fc.property(fc.array(field, { minLength: 1, maxLength: 6 }), (fields) => {
      const head = parseHead(`HTTP/1.1 200 OK\r\n${fields.map((one) => `Set-Cookie: ${one}`).join('\r\n')}`);
      const judge = new Headers(fields.map((one): [string, string] => ['set-cookie', one]));
      const wanted = new Map(getSetCookies(judge).map((one) => [one.name, one.value]));
      const kept = takeCookies('', head.headers.get('set-cookie'));
      assert.deepEqual(new Map(kept.split('; ').map((pair) => pair.split('=') as [string, string])), wanted);
      assert.deepEqual(cookieHeader(kept), { cookie: kept });
      assert.equal(takeCookies(kept, undefined), kept, 'an answer without cookies changes nothing');
    }),
  );
});

test.for<[what: string, kept: string, setCookie: string, left: string]>([
  ['a new value', 'SRV=s1; a=b', 'SRV=s2; path=/', 'SRV=s2; a=b'],
  ['Max-Age of 0', 'SRV=s1; a=b', 'SRV=x; Max-Age=0', 'a=b'],
  [
    'what HAProxy says where a server is gone',
    'SRV=s1',
    'SRV=; Expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/',
    '',
  ],
  ['an end that is to come', '', 'SRV=s1; expires=Fri, 01 Jan 2999 00:00:00 GMT', 'SRV=s1'],
  ['a value with an equals sign', '', 'a=b=c', 'a=b=c'],
  ['no name', 'a=b', 'nonsense', 'a=b'],
  ['an empty field', 'a=b', '', 'a=b'],
  ['a longer one than is kept', 'a=b', `c=${'x'.repeat(longestCookie)}`, 'a=b'],
])('%s', ([, kept, setCookie, left]) => {
  assert.equal(takeCookies(kept, setCookie), left);
});

test('a client keeps no more than its bound, and those it has can still change', () => {
  const many = Array.from({ length: 50 }, (_, i) => `c${i}=1`);
  const kept = takeCookies('', many.join(setCookieSeparator));
  assert.equal(kept.split('; ').length, mostCookies);
  assert.match(takeCookies(kept, 'c0=2'), /^c0=2; c1=1/);
});
