// Serves the page of `pushbench serve` at `GET /`: one file with its style and script in it, which connects
// as browsers do with the pattern. It asks nothing of any other address. Servers of trials do not have it:
// this file is loaded where a page was asked for.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nowUs } from '../../core/base/clock.ts';
import type { Endpoint } from '../../core/protocol/control.ts';
import { patternNamed } from '../../core/pattern/registry.ts';
import { endWith } from '../http/request.ts';
import type { Routes } from '../http/router.ts';
import type { Hub } from '../hub/hub.ts';
import type { Handler } from '../pattern.ts';

/** A line to try in a terminal. */
export type Command = { what: string; command: string };

export type PageOptions = {
  /** What the page lists; asked for when the server listens. @param cursor of the server's start */
  commands(endpoint: Endpoint, cursor: string): readonly Command[];
};

export type PageContext = {
  pattern: string;
  options: Readonly<Record<string, unknown>>;
  /** The cursor of the server's start. */
  start: string;
  /** Known once the server listens. */
  endpoint(): Endpoint;
  /** `GET /` for programs. */
  index: Handler;
  /** The path of the pattern's own page, which has the place of this one. */
  own: string | undefined;
};

/** `GET /`, which browsers get as a page and programs as JSON. */
export function pageRoute({ commands }: PageOptions, context: PageContext): Routes {
  const { pattern, options, own, index, endpoint, start } = context;
  let page: Page | undefined;

  return {
    'GET /': (request, response, url) => {
      response.setHeader('vary', joined(response.getHeader('vary'), 'accept'));
      if (!wantsPage(request.headers.accept)) return index(request, response, url);
      if (own !== undefined) return endWith(response, 303, { location: own, 'content-length': '0' });
      page ??= pageOf({ pattern, options, commands: commands(endpoint(), start) });
      return endWith(response, 200, page.headers, page.bytes);
    },
  };
}

/**
 * `GET /clock`: what the clock says that events are stamped with, and where the log ends. So the page can
 * tell how long events took, and where it begins.
 */
export function clockRoute({ cursor }: Pick<Hub, 'cursor'>): Routes {
  return {
    'GET /clock': (_request, response) => {
      const answer = `{"nowUs":${nowUs()},"cursor":"${cursor()}"}\n`;
      const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
      endWith(response, 200, { ...headers, 'content-length': String(answer.length) }, answer);
    },
  };
}

function joined(varied: number | string | readonly string[] | undefined, name: string): string {
  return varied === undefined ? name : `${String(varied)}, ${name}`;
}

/** Browsers that open an address name `text/html`; programs do not, or like JSON better. */
export function wantsPage(accept: string | undefined): boolean {
  const liking = (type: string) => {
    const part = (accept ?? '').split(',').find((one) => one.trim().toLowerCase().startsWith(type));
    return part === undefined ? 0 : Number(/;\s*q=([\d.]+)/i.exec(part)?.[1] ?? 1);
  };
  const html = liking('text/html');
  return html > 0 && html >= liking('application/json');
}

type Page = { headers: Readonly<Record<string, string>>; bytes: Buffer };

type Shown = Pick<PageContext, 'pattern' | 'options'> & { commands: readonly Command[] };

function pageOf({ pattern, options, commands }: Shown): Page {
  const { title, how } = patternNamed(pattern)!; // the server runs it
  const style = read('page.css');
  // One script without imports: what page.js takes of connect.js stands before it.
  const script =
    read('connect.js').replaceAll(/^export /gm, '') + read('page.js').replace(/^import .*;\n/m, '');
  const { every: everyMs, hold: holdMs, conditional } = options;
  const facts = JSON.stringify({ pattern, title, how, everyMs, holdMs, conditional, commands });
  const parts: Record<string, string> = { style, script, facts: facts.replaceAll('<', '\\u003c') };
  const bytes = Buffer.from(
    read('index.html').replace(/\{(style|facts|script)\}/g, (_, name) => parts[name]!),
  );
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "connect-src 'self'",
    'img-src data:',
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    bytes,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-length': String(bytes.length),
      'content-security-policy': policy.join('; '),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-cache',
    },
  };
}

function read(name: string): string {
  return readFileSync(join(import.meta.dirname, 'client', name), 'utf8');
}
