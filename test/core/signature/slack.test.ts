// Slack's scheme: the vector of its documentation, what must be refused.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'vitest';
import { schemes, type Headers } from '../../../core/signature/schemes.ts';

const { key, sign, verify, newSecret, idOf } = schemes.slack;
const secret = '8f742231b10e8888abcd99yyyzzz85a5';
const sentS = 1_531_420_618;
const body =
  'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&' +
  'channel_name=foobar&user_id=U2CERLKJA' +
  '&user_name=roadrunner&command=%2Fwebhook-collect&text=&' +
  'response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554' +
  '%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
const signature = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503';
const headers = { 'x-slack-request-timestamp': String(sentS), 'x-slack-signature': signature };

function refusal(given: Headers, nowS = sentS, secrets = [secret], payload = body): string | undefined {
  const verified = verify(secrets.map(key), given, payload, { nowS });
  return verified.ok ? undefined : verified.reason;
}

test('signs and verifies the vector', () => {
  assert.deepEqual(sign([key(secret)], { id: 'Ev1', timestampS: sentS, body }), headers);
  assert.equal(refusal(headers), undefined);
  assert.equal(refusal(headers, sentS + 300), undefined);
  assert.equal(refusal(headers, sentS - 300), undefined);
  assert.equal(refusal(headers, sentS, [newSecret(), secret]), undefined);
});

test('signs with the newest of several secrets: there is room for one', () => {
  assert.deepEqual(sign([key(secret), key(newSecret())], { id: 'Ev1', timestampS: sentS, body }), headers);
});

test('signs bytes that are no text as they are', () => {
  const bytes = Buffer.from([0, 255, 10, 128]);
  const expected = createHmac('sha256', secret)
    .update(Buffer.concat([Buffer.from('v0:7:'), bytes]))
    .digest('hex');
  assert.equal(
    sign([key(secret)], { id: 'Ev1', timestampS: 7, body: bytes })['x-slack-signature'],
    `v0=${expected}`,
  );
});

describe('refuses', () => {
  for (const [what, reason, given, nowS] of [
    ['no time', 'missing-header', { ...headers, 'x-slack-request-timestamp': undefined }],
    ['no signature', 'missing-header', { ...headers, 'x-slack-signature': undefined }],
    ['a time that is none', 'bad-timestamp', { ...headers, 'x-slack-request-timestamp': '1e9' }],
    ['five minutes and a second old', 'too-old', headers, sentS + 301],
    ['five minutes and a second ahead', 'too-new', headers, sentS - 301],
    [
      'another version',
      'unsupported-signature',
      { ...headers, 'x-slack-signature': signature.replace('v0', 'v1') },
    ],
    ['no version', 'malformed-signature', { ...headers, 'x-slack-signature': signature.slice(3) }],
    ['a truncated signature', 'no-match', { ...headers, 'x-slack-signature': signature.slice(0, -1) }],
    ['a lone version', 'no-match', { ...headers, 'x-slack-signature': 'v0=' }],
  ] as [string, string, Headers, number?][]) {
    test(what, () => assert.equal(refusal(given, nowS), reason));
  }
  test('another body', () => assert.equal(refusal(headers, sentS, [secret], `${body}&x=1`), 'no-match'));
  test('another secret', () => assert.equal(refusal(headers, sentS, [newSecret()]), 'no-match'));
});

test('a repetition is recognised by the event id, or the id of an event of this project', () => {
  assert.equal(idOf(headers, '{"type":"event_callback","event_id":"Ev08MFMKH6"}'), 'Ev08MFMKH6');
  assert.equal(idOf(headers, '{"id":"k3f9a1-57","topic":"news"}'), 'k3f9a1-57');
  assert.equal(idOf(headers, body), undefined);
});
