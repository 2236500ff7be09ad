// The published schema of the event: every event that is written passes it, and what is none does not.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'vitest';
import { z } from 'zod';
import { encodeEnvelope } from '../../../core/event/envelope.ts';
import { eventSchemaFile, eventSchemaText } from '../../../scripts/schema.ts';

const text = readFileSync(eventSchemaFile, 'utf8');
// Read back from the file, as somebody else's program would.
const published = z.fromJSONSchema(JSON.parse(text) as Parameters<typeof z.fromJSONSchema>[0]);

test('the file is the one that the code makes; npm run schema writes it again', () =>
  assert.equal(text, eventSchemaText()));

test('every event passes', () => {
  const event = fc.record({
    id: fc
      .tuple(fc.stringMatching(/^[a-z0-9]{1,16}$/), fc.nat())
      .map(([epoch, offset]) => `${epoch}-${offset}`),
    topic: fc.stringMatching(/^[A-Za-z0-9._:~-]{1,128}$/),
    seq: fc.integer({ min: 1 }),
    plannedUs: fc.maxSafeNat(),
    sentUs: fc.maxSafeNat(),
    acceptedUs: fc.maxSafeNat(),
    body: fc.oneof(
      fc.json(),
      fc.string({ unit: 'binary' }).filter((one) => one.isWellFormed()),
      fc.constantFrom('', 'two\nlines', 'null', '0'),
    ),
    crc: fc.option(fc.nat(2 ** 32 - 1), { nil: undefined }),
  });
  fc.assert(
    fc.property(event, ({ crc, ...rest }) => {
      const line = encodeEnvelope({ ...rest, ...(crc === undefined ? {} : { crc }) });
      const parsed = published.safeParse(JSON.parse(line));
      assert.ok(parsed.success, `${line}: ${parsed.error?.message}`);
    }),
  );
});

test('what is none does not', () => {
  const good = { id: 'k3f9a1-57', topic: 'news', seq: 12, planned: 81, sent: 82, accepted: 85, body: {} };
  assert.equal(published.safeParse(good).success, true);
  for (const change of [
    { id: 'K-1' },
    { topic: 'a b' },
    { seq: 0 },
    { seq: 1.5 },
    { planned: -1 },
    { crc: 2 ** 32 },
    { more: 1 },
    { text: 'both' },
    { accepted: undefined },
  ]) {
    const wrong: unknown = JSON.parse(JSON.stringify({ ...good, ...change }));
    assert.equal(published.safeParse(wrong).success, false, JSON.stringify(change));
  }
  const { body: _, ...without } = good;
  assert.equal(published.safeParse({ ...without, text: 7 }).success, false);
});
