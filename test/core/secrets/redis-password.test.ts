// The password of a Redis from the environment: where it goes, and that the client reads it there as it is.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { test } from 'vitest';
import { redisPasswordVariable, withRedisPassword } from '../../../core/secrets/redis-password.ts';

/** What ioredis would log in with. */
function loginOf(url: string) {
  const { username, password } = new Redis(url, { lazyConnect: true }).options;
  return { username, password };
}

test('the client logs in with any password of the environment, with a user and without', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (password) => {
      const environment = { [redisPasswordVariable]: password };
      assert.equal(loginOf(withRedisPassword('redis://db.example:6379/2', environment)).password, password);
      assert.deepEqual(loginOf(withRedisPassword('rediss://ann@db.example', environment)), {
        username: 'ann',
        password,
      });
    }),
  );
});

test('a password in the URL goes before it, and without one in the environment the URL stays', () => {
  const environment = { [redisPasswordVariable]: 'other' };
  for (const url of ['redis://:own@db.example', 'redis://ann:own@db.example:1/3'])
    assert.equal(withRedisPassword(url, environment), url);
  for (const none of [{}, { [redisPasswordVariable]: '' }])
    assert.equal(withRedisPassword('redis://ann@db.example', none), 'redis://ann@db.example');
});
