// Which pattern is advised for what is needed, by the rules of the table; that each rule names where it is
// from, and that the page shows the table as it is.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { parse } from 'yaml';
import { advise } from '../../../core/advice/advise.ts';
import { pollEveryMs, type Needs } from '../../../core/advice/needs.ts';
import { rules, type Source } from '../../../core/advice/rules.ts';
import { claimsSchema } from '../../../core/comparison/claims.ts';
import { patterns } from '../../../core/pattern/registry.ts';

const viewers: Needs = {
  to: 'browser',
  bothWays: false,
  clients: 3000,
  everyMs: 2000,
  shared: false,
  reachable: false,
  hold: 'streams',
  missed: 'catch-up',
  ordered: false,
  simplest: false,
};
const server: Partial<Needs> = { to: 'server', reachable: true };
const [minute, hour] = [60_000, 3_600_000];

describe('the best pattern, by the decision framework of the article and what was measured of it', () => {
  const rows: [what: string, Partial<Needs>, best: string][] = [
    ['3,000 viewers, an update every 2 s for each', {}, 'sse'],
    ['the same in a chat or a game', { bothWays: true, withinMs: 100 }, 'websocket'],
    ['payments to another company', { ...server, missed: 'never', everyMs: minute }, 'webhook'],
    ['a server without an address', { to: 'server', missed: 'never' }, 'http-stream'],
    ['thousands of updates a second to a server', { ...server, everyMs: 0.5, clients: 4 }, 'http-stream'],
    ['an update a minute, 30 s of delay are fine', { everyMs: minute, withinMs: 30_000 }, 'polling'],
    ['an update a minute, wanted within a second', { everyMs: minute, withinMs: 1000 }, 'sse'],
    ['an update an hour', { everyMs: hour }, 'polling'],
    ['an update an hour that somebody waits for', { everyMs: hour, withinMs: 1000 }, 'sse'],
    ['proxies that buffer', { hold: 'requests' }, 'long-polling'],
    ['functions as a service', { hold: 'nothing' }, 'polling'],
    ['thousands of updates a second to browsers', { everyMs: 0.5, clients: 4 }, 'sse'],
  ];
  for (const [what, needs, best] of rows)
    test(`${what}: ${best}`, () => assert.equal(advise({ ...viewers, ...needs }).ranked[0]?.pattern, best));
});

test('what cannot do it is out and not ranked, with what rules it out', () => {
  const { ranked, out } = advise({ ...viewers, hold: 'nothing', withinMs: 50 });
  assert.deepEqual(ranked, [], 'nobody can push, and a poll is too late');
  assert.deepEqual(
    out.find(({ pattern }) => pattern === 'polling')?.because.map(({ rule }) => rule),
    ['polls-too-often'],
  );
  const { out: ofViewers, ranked: rest } = advise(viewers);
  assert.deepEqual(
    ofViewers.map(({ pattern }) => pattern),
    ['webhook'],
  );
  assert.equal(rest.length, 5);
});

test('polling is asked about as the text has it: 3,000 clients every 2 s are 1,500 requests a second', () => {
  assert.match(advise(viewers).arithmetic[0]!, /^Polling every 2s: 1,500 requests a second, .* 1 s late/);
  assert.equal(pollEveryMs({ ...viewers, everyMs: minute }), 30_000);
  assert.equal(pollEveryMs({ ...viewers, withinMs: 250 }), 250);
});

test('every pattern has a rule for it, and one that has to be known of it', () => {
  for (const name of Object.keys(patterns)) {
    const weights = rules.flatMap(({ weighs }) => Object.entries(weighs).filter(([one]) => one === name));
    assert.ok(
      weights.some(([, weight]) => typeof weight === 'number' && weight > 0),
      `${name}: no rule of core/advice/rules.ts speaks for it`,
    );
    assert.ok(
      weights.some(([, weight]) => typeof weight !== 'number' || weight <= 0),
      `${name}: no rule of core/advice/rules.ts speaks against it`,
    );
  }
  assert.equal(new Set(rules.map(({ id }) => id)).size, rules.length);
});

test('each rule is from a claim that there is, a page that there is, or a part of the article', () => {
  const { claims } = claimsSchema.parse(parse(readFileSync('scenarios/article/claims.yaml', 'utf8')));
  const ids = claims.map(({ id }) => id);
  for (const { id, source } of rules) {
    if ('claim' in source) assert.ok(ids.includes(source.claim), `${id}: no claim ${source.claim}`);
    if ('page' in source) assert.ok(existsSync(`docs/${source.page}`), `${id}: no page ${source.page}`);
  }
});

test('docs/advise.md shows the table as it is', () => {
  const sourceText = (source: Source) => {
    if ('article' in source) return `article, "${source.article}"`;
    return 'claim' in source ? `claim \`${source.claim}\`` : `[${source.page}](${source.page})`;
  };
  const rows = rules.map(({ when, weighs, says, source }) => {
    const weights = Object.entries(weighs)
      .map(([name, weight]) => `${name} ${typeof weight === 'number' && weight > 0 ? '+' : ''}${weight}`)
      .join(', ');
    return `| ${when} | ${weights} | ${says} | ${sourceText(source)} |`;
  });
  const [, table = ''] = /<!-- rules -->\n([\s\S]*)<!-- \/rules -->/.exec(
    readFileSync('docs/advise.md', 'utf8'),
  )!;
  assert.deepEqual(table.trim().split('\n').slice(2), rows);
});
