// The pages on the patterns stay true: the exchange on each is what the server says today, its
// signatures verify, its figures are those of the measured result that it names, and
// `pushbench open` understands all of it.

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { test } from 'vitest';
import { patterns, type PatternName } from '../core/pattern/registry.ts';
import { schemes } from '../core/signature/schemes.ts';
import { markdownBlocks } from '../reports/open/docs.ts';
import { capture, exchangeIn, pageOf } from '../scripts/capture-wire.ts';
import { exampleSecret, exampleTimestampS } from '../scripts/exchange/steady-text.ts';

const names = Object.keys(patterns) as PatternName[];

test('every pattern has a page with the same parts', () => {
  for (const name of names) {
    assert.ok(existsSync(pageOf(name)), `docs/patterns/${name}.md is missing: write it as those beside it`);
    const headings = [...readFileSync(pageOf(name), 'utf8').matchAll(/^## (.*)$/gm)].map(([, text]) => text);
    assert.deepEqual(
      headings,
      [
        'When to use it',
        'When not',
        name === 'webhook' ? 'A receiver' : 'A client',
        'On the wire',
        'What it costs',
        'What our server does',
        'What it leaves out',
      ],
      name,
    );
  }
});

for (const name of names) {
  test(
    `${name}: the exchange on its page is what its server says ` + '(else: npm run capture-wire)',
    async () => {
      assert.equal(exchangeIn(readFileSync(pageOf(name), 'utf8')), await capture(name));
    },
  );
}

test("the webhook page's signatures fit its bodies, its times and its secret", () => {
  const exchange = exchangeIn(readFileSync(pageOf('webhook'), 'utf8'))!;
  const requests = [...exchange.matchAll(/^< POST \/hook[\s\S]*?^<\n< (.*)$/gm)];
  assert.equal(requests.length, 2);
  requests.forEach(([text, body], i) => {
    const headers = Object.fromEntries(
      [...text.matchAll(/^< ([\w-]+): (.*)$/gm)].map(([, header, value]) => [header!.toLowerCase(), value!]),
    );
    assert.equal(Number(headers['content-length']), body!.length);
    const { ok } = schemes.standard.verify([schemes.standard.key(exampleSecret)], headers, body!, {
      nowS: exampleTimestampS,
    });
    assert.ok(ok, `attempt ${i + 1}`);
  });
});

test('the lengths in the exchanges fit what stands there', () => {
  for (const name of names) {
    const text = exchangeIn(readFileSync(pageOf(name), 'utf8'))!;
    for (const [, length, body] of text.matchAll(/content-length: (\d+)\n(?:[<>] .*\n)*[<>]\n[<>] (.*)\n/gi))
      // With or without a line end.
      assert.ok([body!.length, body!.length + 1].includes(Number(length)), `${name}: ${length} ${body}`);
    for (const [, size, chunk] of text.matchAll(
      /^< ([0-9a-f]+)\n((?:< ?.*\n)+?)<\n(?=#|<? ?[0-9a-f]*\n|$)/gm,
    )) {
      const bytes = chunk!.replace(/^< ?/gm, '').length;
      assert.ok(
        Math.abs(bytes - Number.parseInt(size!, 16)) <= 1,
        `${name}: a chunk of ${size} holds ${bytes}`,
      );
    }
  }
});

test('figures on the pages are rows of the measured result that they name', () => {
  for (const name of names) {
    const page = readFileSync(pageOf(name), 'utf8');
    if (/^## What it costs\nNot measured yet\.$/m.test(page)) continue;
    const [, block = ''] = /<!-- figures -->\n([\s\S]*?)<!-- \/figures -->/.exec(page) ?? [];
    const [, file] = /\]\((\.\.\/measured\/[a-z-]+\.md)\)/.exec(block) ?? [];
    assert.ok(
      file,
      `docs/patterns/${name}.md: name where the figures of "What it costs" are from, as other pages ` +
        'do, or write "Not measured yet."',
    );
    const measured = readFileSync(new URL(file, pageOf(name)), 'utf8').split('\n');
    const rows = block.split('\n').filter((line) => line.startsWith('|'));
    assert.equal(rows.length, 3, name);
    for (const row of rows) assert.ok(measured.includes(row), `${name}: ${row}`);
    assert.match(rows[2]!, new RegExp(`^\\| ${name}, `));
  }
});

test('pushbench open shows all of the documentation as it is meant', () => {
  for (const file of globSync('docs/{*,how-to/*,measured/*,patterns/*,reference/*,start/*}.md')) {
    const shown = markdownBlocks(readFileSync(file, 'utf8'), '/docs/')
      .map(({ markup }) => markup)
      .join('\n')
      .replace(/<(pre|code)\b[\s\S]*?<\/\1>/g, '');
    assert.doesNotMatch(shown, /\*|`|\]\(|^\s*(?:#|\|)/m, file);
  }
});

test('every promise on the page on security names tests, and each of them is there', () => {
  const [, table = ''] = readFileSync('docs/security.md', 'utf8').split('## How it is tested');
  const rows = table
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2);
  assert.ok(rows.length > 10);
  for (const row of rows) {
    const files = [...row.matchAll(/`(test\/[\w/-]+\.test\.ts)`/g)].map(([, file]) => file!);
    assert.ok(files.length > 0, `no test holds: ${row}`);
    for (const file of files) assert.match(readFileSync(file, 'utf8'), /^\s*test\(/m, file);
  }
});
