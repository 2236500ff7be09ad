// Opens a folder of results on a real socket, with files outside of it and links to them, and asks it.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TestContext } from 'vitest';
import { serveArchive } from '../../../reports/open/server.ts';
import { fixtureResult } from '../fixture.ts';

type Reply = { status: number; headers: Record<string, string | string[] | undefined>; body: string };

/** The path goes out as it is written, unlike with fetch. */
export function ask(
  url: string,
  path: string,
  { method = 'GET', ...headers }: Record<string, string> = {},
): Promise<Reply> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, method, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
    });
    asked.on('error', reject).end();
  });
}

/** `first` and `second` are runs; the others cannot be read, or lead to files that hold `SECRET`. */
export async function opened(t: TestContext): Promise<{ url: string; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-open-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true }));
  const root = join(folder, 'results');
  const write = (name: string, text: string) => {
    mkdirSync(join(root, name), { recursive: true });
    writeFileSync(join(root, name, 'result.json'), text);
  };
  write('first', JSON.stringify(fixtureResult({ measureS: 2 })));
  write('second', JSON.stringify(fixtureResult({ seed: 2, measureS: 2, trouble: true })));
  write('<img src=x>', '{"cut');
  mkdirSync(join(root, 'no-result'));
  writeFileSync(join(folder, 'secret.txt'), 'SECRET');
  mkdirSync(join(folder, 'outside'));
  writeFileSync(
    join(folder, 'outside', 'result.json'),
    JSON.stringify({ ...fixtureResult({ measureS: 1 }), command: 'SECRET' }),
  );
  symlinkSync(join(folder, 'outside'), join(root, 'linked'));
  mkdirSync(join(root, 'linked-file'));
  symlinkSync(join(folder, 'outside', 'result.json'), join(root, 'linked-file', 'result.json'));
  symlinkSync(join(folder, 'secret.txt'), join(root, 'first', 'report.html'));
  const server = await serveArchive(root, pathToFileURL(`${process.cwd()}/docs/`), 0);
  t.onTestFinished(server.close);
  return { url: server.url, folder };
}
