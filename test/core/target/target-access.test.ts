// Fills target files in from the environment: what is missing, what is never shown, and which hosts are
// contacted.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { redact } from '../../../core/secrets/redact.ts';
import { accessOf, hostsOf, notesOn } from '../../../core/target/access.ts';
import { base, parse } from './short-target.ts';

const noFile = (path: string): string => assert.fail(`nobody asked for ${path}`);

describe('the environment', () => {
  const secret = 'tok-8841-xyz';
  const target = parse(
    `${base}headers: { Authorization: "Bearer \${FEED_TOKEN}", x-tenant: "\${TENANT}" }\n`,
  );

  test('fills in headers, and every variable that is missing is named', () => {
    const access = accessOf(target, 'feed.yaml', { FEED_TOKEN: secret, TENANT: 'a' }, noFile);
    assert.deepEqual(access.subscribe.sse?.headers, { authorization: `Bearer ${secret}`, 'x-tenant': 'a' });
    assert.equal(access.publish.headers['authorization'], `Bearer ${secret}`);
    assert.throws(() => accessOf(target, 'feed.yaml', { FEED_TOKEN: '' }, noFile), {
      code: 'target-environment',
      message:
        'The target file feed.yaml asks the environment for FEED_TOKEN (for headers.Authorization), TENANT ' +
        '(for headers.x-tenant), which are not set. Set them before the run, such as: export FEED_TOKEN=...',
    });
  });

  test('in a URL a value is one part, whatever is in it', () => {
    const { publish } = accessOf(
      parse(base.replace('/pub/', '/${TENANT}/pub/')),
      'feed.yaml',
      { TENANT: 'a b/../{topic}?x' },
      noFile,
    );
    assert.equal(publish.url, 'http://127.0.0.1:8082/a%20b%2F..%2F%7Btopic%7D%3Fx/pub/{topic}');
  });

  test('a value with a line break is refused without being shown', () => {
    assert.throws(
      () => accessOf(target, 'feed.yaml', { FEED_TOKEN: `${secret}\r\nevil: 1`, TENANT: 'a' }, noFile),
      (error: Error) => {
        assert.match(error.message, /uses FEED_TOKEN from the environment, which holds a line break/);
        return !error.message.includes(secret);
      },
    );
  });

  test('values are taken out of what a target repeats, encoded ones too', () => {
    const { secrets } = accessOf(target, 'feed.yaml', { FEED_TOKEN: 'a b/c=d', TENANT: 'ab' }, noFile);
    assert.equal(
      redact('bad token a b/c=d, in /x?t=a%20b%2Fc%3Dd', secrets),
      'bad token ${FEED_TOKEN}, in /x?t=${FEED_TOKEN}',
    );
    assert.equal(redact('ab', secrets), 'ab', 'two letters are in any text');
  });

  test('a value too short to be taken out is no secret, and the user is told so', () => {
    const access = accessOf(target, 'feed.yaml', { FEED_TOKEN: secret, TENANT: 'abc' }, noFile);
    assert.deepEqual(
      access.secrets.map(({ name }) => name),
      ['FEED_TOKEN'],
    );
    assert.deepEqual(notesOn(access, 'feed.yaml'), [
      'feed.yaml: the value of TENANT has fewer than 4 characters, so it is ' +
        'not treated as a secret: it may occur in any text.',
    ]);
    assert.deepEqual(
      notesOn(accessOf(target, 'feed.yaml', { FEED_TOKEN: secret, TENANT: 'abcd' }, noFile), 'feed.yaml'),
      [],
    );
  });

  test('of Basic credentials the name and the password are secret too', () => {
    const { secrets } = accessOf(
      parse(`${base}headers: { Authorization: "Basic \${LOGIN}" }\n`),
      'feed.yaml',
      { LOGIN: Buffer.from('anna:open sesame').toString('base64') },
      noFile,
    );
    assert.equal(
      redact('no user anna:open sesame; the password "open sesame" is wrong', secrets),
      'no user ${LOGIN}; the password "${LOGIN}" is wrong',
    );
  });
});

test('a CA file that holds no certificate', () => {
  const target = parse(`${base.replace('http:', 'https:')}tls: { ca: ./ca.pem }\n`);
  assert.throws(() => accessOf(target, 'feed.yaml', {}, () => 'nothing'), {
    code: 'target-ca',
    message: /\.\/ca\.pem, which tls\.ca in feed\.yaml names, holds no certificate in PEM form/,
  });
});

test('only hosts that the file names are contacted, and each is known beforehand', () => {
  const target = parse(
    `${base}  websocket: wss://push.example/ws\n  polling: http://[::1]:9/p\n`.replace(
      '/pub/{topic}',
      'http://127.0.0.1:8082/pub/{topic}',
    ),
  );
  assert.deepEqual(hostsOf(target), [
    { host: '127.0.0.1', port: 8082, secure: false },
    { host: '::1', port: 9, secure: false },
    { host: 'push.example', port: 443, secure: true },
  ]);
});
