// Serves the dashboard: a few static files that use the HTTP API like anybody else. What they show and do
// stands in the folder of the same name.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Response } from '../../pattern.ts';
import { endWith, RequestError } from '../../http/request.ts';
import type { Routes } from '../../http/router.ts';

const folder = join(import.meta.dirname, 'dashboard');
const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
};
const files = new Set([
  'dashboard.css',
  'main.js',
  'api.js',
  'dom.js',
  'endpoints.js',
  'deliveries.js',
  'details.js',
  'recovery.js',
  'forms.js',
  'trends.js',
]);

/** Nothing from elsewhere, nothing inline, and in no frame. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action " +
  "'none'; base-uri 'none'; frame-ancestors 'none'";

export function dashboardRoutes(): Routes {
  const read = new Map<string, Buffer>();

  function answer(response: Response, name: string): void {
    let bytes = read.get(name);
    if (!bytes) read.set(name, (bytes = readFileSync(join(folder, name))));
    endWith(
      response,
      200,
      {
        'content-type': types[name.split('.').at(-1)!]!,
        'content-length': String(bytes.length),
        'content-security-policy': policy,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'cache-control': 'no-cache',
      },
      bytes,
    );
  }

  return {
    'GET /dashboard': (_request, response) => answer(response, 'index.html'),
    'GET /dashboard/*': (_request, response, url) => {
      const name = url.pathname.slice('/dashboard/'.length);
      if (!files.has(name))
        throw new RequestError(404, 'not-found', 'the dashboard has no such file; it is at /dashboard');
      answer(response, name);
    },
  };
}
