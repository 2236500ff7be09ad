// Serves the page of a receiver: the requests that came, newest first, and the knobs for how it answers. The
// page is static files over a small API of JSON; what they show is text, never markup.

import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { readRawBody, type RawBody } from '../raw-body.ts';
import { parseJson } from '../../core/base/json.ts';
import { conductSchema, type ConductControl } from './conduct.ts';
import type { Exchanges } from './exchanges.ts';
import { refuse } from './listener.ts';

export type PageOptions = {
  exchanges: Exchanges;
  conduct: ConductControl;
  /** What the page says of the receiver. */
  receiver(): { url: string; isStrict: boolean; secrets: number };
};

export type Page = {
  serve(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Tells open pages that there is something new. */
  changed(): void;
};

const folder = join(import.meta.dirname, 'page');
const files: Readonly<Record<string, { name: string; type: string }>> = {
  '/': { name: 'index.html', type: 'text/html' },
  '/inspector.css': { name: 'inspector.css', type: 'text/css' },
  '/inspector.js': { name: 'inspector.js', type: 'text/javascript' },
};
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** Open pages; the oldest is let go for the next, and its browser comes again. */
const mostWatching = 16;
const longestConductBytes = 4096;
/** Changes that come at once are told once. */
const tellEveryMs = 100;

export function createPage({ exchanges, conduct, receiver }: PageOptions): Page {
  const watching = new Set<ServerResponse>();
  let telling: NodeJS.Timeout | undefined;

  function changed(): void {
    telling ??= setTimeout(() => {
      telling = undefined;
      for (const one of watching) one.write('data: changed\n\n');
    }, tellEveryMs).unref();
  }

  function watch(response: ServerResponse): void {
    for (const oldest of watching) {
      if (watching.size < mostWatching) break;
      watching.delete(oldest);
      oldest.end();
    }
    watching.add(response);
    response.once('close', () => watching.delete(response));
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' });
    response.write('retry: 1000\n\ndata: changed\n\n');
  }

  const state = (after: number) => ({
    receiver: receiver(),
    conduct: conduct.now(),
    counts: exchanges.counts,
    exchanges: exchanges.since(after),
  });

  async function setConduct(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const read = await new Promise<RawBody>((resolve) => readRawBody(request, longestConductBytes, resolve));
    const parsed =
      read.kind === 'whole' ? parseJson(read.body.toString()) : { problem: ', or it is too long' };
    if ('problem' in parsed)
      return refuse(
        response,
        400,
        'not-json',
        `a conduct is a JSON object; this is not whole JSON${parsed.problem}`,
      );
    const checked = conductSchema.safeParse(parsed.value);
    if (!checked.success) {
      const problems = checked.error.issues.map(({ path, message }) =>
        path.length === 0 ? message : `${path.join('.')}: ${message}`,
      );
      return refuse(response, 422, 'bad-conduct', problems.join('; '));
    }
    conduct.set(checked.data);
    changed();
    json(response, checked.data);
  }

  return {
    changed,
    async serve(request, response) {
      const { method } = request;
      const { pathname, searchParams } =
        URL.parse(request.url ?? '', 'http://localhost') ?? new URL('http://localhost/-');
      const file = Object.hasOwn(files, pathname) ? files[pathname] : undefined;
      const key = `${method === 'HEAD' ? 'GET' : method} ${pathname}`;
      if (file && key.startsWith('GET ')) return answerFile(response, file);
      if (key === 'GET /exchanges') return json(response, state(Number(searchParams.get('after')) || 0));
      if (key === 'DELETE /exchanges') {
        exchanges.clear();
        changed();
        return json(response, {});
      }
      if (key === 'GET /changes') return watch(response);
      if (key === 'GET /conduct') return json(response, conduct.now());
      if (key === 'PUT /conduct') return setConduct(request, response);
      const there =
        'there are GET / (the page), GET and DELETE /exchanges, GET and PUT /conduct, GET /changes';
      return refuse(response, 404, 'not-found', there);
    },
  };
}

function answerFile(response: ServerResponse, { name, type }: { name: string; type: string }): void {
  const bytes = readFileSync(join(folder, name));
  response.writeHead(200, {
    ...headers,
    'content-type': `${type}; charset=utf-8`,
    'content-length': bytes.length,
  });
  response.end(bytes);
}

function json(response: ServerResponse, body: object): void {
  response.writeHead(200, { ...headers, 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}
