// Captures a real exchange with each reference server, byte by byte off a socket, and puts it into the
// pattern's page: `npm run capture-wire`. What is said is in scripts/exchange/pages/, a file for each
// pattern; a test compares pages and servers.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { patterns, type PatternName } from '../core/pattern/registry.ts';
import { defaultLimits } from '../core/scenario/scenario.ts';
import { startServer } from '../servers/start.ts';
import type { Exchange, Line } from './exchange/conversation.ts';

const docs = new URL('../docs/patterns/', import.meta.url);
export const pageOf = (pattern: PatternName): URL => new URL(`${pattern}.md`, docs);
const block = /(<!-- exchange -->\n```\n)[\s\S]*?(```\n<!-- \/exchange -->)/;

/** A page with the exchange as it is now. */
export function withExchange(page: string, exchange: string): string {
  return page.replace(block, (_, begin: string, end: string) => `${begin}${exchange}${end}`);
}

export function exchangeIn(page: string): string | undefined {
  return block
    .exec(page)?.[0]
    .split('\n')
    .slice(2, -2)
    .map((line) => `${line}\n`)
    .join('');
}

/**
 * Has the pattern's conversation with its server, on the wire.
 * @throws Error when nobody has written one
 */
export async function capture(pattern: PatternName): Promise<string> {
  const { talk, options = {} } = await exchangeOf(pattern);
  const lines: Line[] = [];
  const server = await startServer({
    pattern,
    options: patterns[pattern].options.parse(options),
    limits: defaultLimits,
    seed: 1,
  });
  try {
    await talk(server, lines);
  } finally {
    await server.close();
  }
  return lines
    .map(({ by, text }) =>
      text
        .replace(/\r?\n$/, '')
        .split(/\r?\n/)
        .map((line) => `${by} ${line}`.trimEnd())
        .join('\n'),
    )
    .join('\n')
    .concat('\n');
}

async function exchangeOf(pattern: PatternName): Promise<Exchange> {
  const place = new URL(`exchange/pages/${pattern}.ts`, import.meta.url);
  if (!existsSync(place))
    throw new Error(
      `docs/patterns/${pattern}.md lacks its exchange: write scripts/exchange/pages/${pattern}.ts, as ` +
        'those beside it are, then run: npm run capture-wire',
    );
  const { exchange } = (await import(place.href)) as { exchange: Exchange }; // as every file there has it
  return exchange;
}

if (import.meta.main) {
  for (const pattern of Object.keys(patterns) as PatternName[]) {
    const page = readFileSync(pageOf(pattern), 'utf8');
    writeFileSync(pageOf(pattern), withExchange(page, await capture(pattern)));
  }
}
