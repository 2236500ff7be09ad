// What a month costs, by hand; and what is said of price files that are wrong.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { billOf, serversAMachine } from '../../../core/capacity/bill.ts';
import { parsePrices } from '../../../core/capacity/prices.ts';
import { pricesSchemaFile, pricesSchemaText } from '../../../scripts/schema.ts';

const text = `currency: EUR
prices:
  serverHour: { price: 0.5, cores: 2, memory: 8GB, source: list, date: 2026-11-30 }
  millionRequests: { price: 2, source: list, date: 2026-11-30 }
  gigabyteOut: { price: 0.1, source: list, date: 2026-11-30 }
  millionConnectionMinutes: { price: 0, source: not charged, date: 2026-11-30 }
  millionMessages: { price: 3, source: list, date: 2026-11-30 }
`;
const prices = parsePrices(text, 'prices.yaml');
const used = {
  servers: 5,
  memoryBytes: 3e9,
  requests: 4e6,
  bytesOut: 50e9,
  connectionMinutes: 9e6,
  messages: 2e6,
};

test('a bill, by hand', () => {
  // Five servers, two a machine: three machines, 720 hours each.
  const { machines, lines, total, currency } = billOf(used, prices);
  assert.deepEqual([machines, currency], [3, 'EUR']);
  assert.deepEqual(
    lines.map(({ what, quantity, amount }) => [what, quantity, amount]),
    [
      ['serverHour', 2160, 1080],
      ['millionRequests', 4, 8],
      ['gigabyteOut', 50, 5],
      ['millionConnectionMinutes', 9, 0],
      ['millionMessages', 2, 6],
    ],
  );
  assert.equal(total, 1099);
});

test('a machine has a server on each core, as far as its memory goes', () => {
  assert.equal(serversAMachine(1e9, prices.prices), 2);
  assert.equal(serversAMachine(4e9, prices.prices), 2);
  assert.equal(serversAMachine(4.1e9, prices.prices), 1);
  assert.equal(serversAMachine(8.1e9, prices.prices), 0);
  assert.equal(billOf({ ...used, memoryBytes: 5e9 }, prices).machines, 5);
});

test('the shipped price files are right, and say that they are examples', () => {
  const files = globSync('prices/*.yaml');
  assert.equal(files.length, 2);
  for (const file of files) {
    const { note, prices: all } = parsePrices(readFileSync(file, 'utf8'), file);
    assert.match(note ?? '', /example prices, of no provider/);
    for (const { source } of Object.values(all)) assert.match(source, /^(example|not charged)$/);
  }
});

test('the committed schema is the one that is generated', () => {
  assert.equal(readFileSync(pricesSchemaFile, 'utf8'), pricesSchemaText(), 'run: npm run schema');
});

describe('what is wrong with a price file, with its place', () => {
  const rows: [reads: string, text: string, message: RegExp][] = [
    [
      'a price as text',
      text.replace('price: 2,', 'price: 2 EUR,'),
      /:4:\d+: prices\.millionRequests\.price: /,
    ],
    [
      'a price below 0',
      text.replace('price: 2,', 'price: -2,'),
      /prices\.millionRequests\.price: .*at least 0/,
    ],
    [
      'no source',
      text.replace('price: 3, source: list,', 'price: 3,'),
      /millionMessages: "source" is missing/,
    ],
    [
      'a date',
      text.replace('price: 3, source: list, date: 2026-11-30', 'price: 3, source: list, date: today'),
      /a date such as 2026-11-30/,
    ],
    ['a price that is missing', text.replace(/ {2}gigabyteOut.*\n/, ''), /gigabyteOut/],
    ['a misspelt key', text.replace('gigabyteOut', 'gigabytesOut'), /did you mean "gigabyteOut"/],
    ['memory without its unit', text.replace('8GB', '8'), /serverHour\.memory: .*with its unit/],
    ['a currency', text.replace('EUR', 'euro'), /currency: .*three letters/],
    ['another file', 'question: What?\n', /this is not a price file/],
  ];
  for (const [reads, wrong, message] of rows)
    test(reads, () =>
      assert.throws(
        () => parsePrices(wrong, 'prices.yaml'),
        (error: Error & { code: string }) => {
          assert.equal(error.code, 'prices');
          assert.match(error.message, /^The price file prices\.yaml cannot be used:\nprices\.yaml:\d+:\d+: /);
          assert.match(error.message, message);
          return true;
        },
      ),
    );
});
