// Serves a results folder on loopback: the index, reports and the other forms, made when asked for. It reads
// and never writes. Web pages of other origins get nothing: not by their own address, nor by a name that they
// point at 127.0.0.1 (DNS rebinding). The rule is that of all listeners, core/http/access.ts.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UserError } from '../../core/base/errors.ts';
import { loopback, urlHost } from '../../core/base/loopback.ts';
import { boundHalfOpen, headMs } from '../../core/http/half-open.ts';
import { createJudge } from '../../core/http/access.ts';
import { messageFault } from '../../core/http/message.ts';
import type { Result } from '../../core/result/result.ts';
import { cutUnread, turnOf } from '../../core/http/unread.ts';
import { openArchive, tooLarge, type Archive } from './archive.ts';
import { docTitles, docPage, linkedDocs } from './docs.ts';
import { documentsOf, formats, isFormat, type Format } from '../export/formats.ts';
import { html } from '../page/markup.ts';
import { indexPage, mostSideBySide } from './index-page.ts';
import { pageOf } from '../page/page-of.ts';
import { policyFor } from './policy.ts';
import { nothing, page, wrong, type Answer } from './web-answer.ts';
import { comparedRuns, comparisonFile, scenarioHistory } from './web-comparisons.ts';

export type ArchiveServer = { url: string; close(): Promise<void> };

/** A report takes up to a second of work; who comes when so many wait is told to come again. */
const mostWaiting = 16;
const maxConnections = 256;
/** Requests that may wait behind another on one connection; browsers send none before its answer has come. */
const mostPipelined = 100;
/** Connections without a request yet; the oldest makes room for the next. */
const mostSilent = 128;
const limits = {
  headersTimeout: headMs,
  requestTimeout: headMs,
  connectionsCheckingInterval: 1000,
  requireHostHeader: false,
};

const headers = {
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-cache',
};

/**
 * @param root a results folder, or the folder of one run
 * @param docs the folder of the documentation
 * @param port 0 for any free one
 * @param allowHosts names that it answers to besides its own, as `allowedHost` gives them
 * @throws the system's error when the port cannot be had
 */
export async function serveArchive(
  root: string,
  docs: URL,
  port: number,
  allowHosts: readonly string[] = [],
): Promise<ArchiveServer> {
  const archive = openArchive(root);
  const inTurn = createQueue(mostWaiting);
  const server = createServer(limits, (request, response) => {
    halfOpen.settled(request.socket);
    void serve(request, response);
  });
  cutUnread(server);
  server.maxConnections = maxConnections;
  const halfOpen = boundHalfOpen(server, {
    withinMs: headMs,
    most: mostSilent,
    expired: (socket) => socket.destroy(),
  });
  await listening(server, port);
  const { port: bound, address } = server.address() as AddressInfo; // of a TCP server
  const judge = createJudge({ scheme: 'http', address, allowHosts, readers: 'own-pages' });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Made when the one before it on the connection has left: reports that nobody reads do not pile up.
    if (!(await turnOf(response, mostPipelined))) return;
    const fault = messageFault(request);
    if (fault) response.shouldKeepAlive = false;
    const failed = (error: unknown) =>
      error instanceof UserError ? wrong(error.code === tooLarge ? 413 : 422, error.message) : defect(error);
    const made = fault ? wrong(fault.status, fault.message) : await answer(request).catch(failed);
    send(request, response, made, await policyFor(made));
  }

  async function answer(request: IncomingMessage): Promise<Answer> {
    const { method, url } = request;
    const verdict = judge(request);
    if (verdict.kind === 'refused') return wrong(verdict.status, verdict.message);
    if (method !== 'GET' && method !== 'HEAD')
      return wrong(405, 'This server only shows results: use GET or HEAD.');
    const target = URL.parse(url ?? '', 'http://localhost');
    const segments = target && decoded(target.pathname);
    if (!target || !segments) return wrong(400, 'This is not an address.');
    return inTurn(() => route(segments, target.searchParams));
  }

  async function route(segments: readonly string[], query: URLSearchParams): Promise<Answer> {
    const [room, name = '', file = '', ...rest] = segments;
    if (room === '' && segments.length === 1) {
      const { runs, more } = await archive.list();
      return page(indexPage(root, runs, more, await docTitles(docs)));
    }
    if (room === 'docs') {
      const text = await docPage(docs, segments.slice(1));
      return text === undefined ? nothing : page(text);
    }
    if (room === 'side-by-side' && segments.length === 1) return sideBySide(archive, query.getAll('run'));
    if (room === 'compare' && segments.length === 1) return comparedRuns(archive, query.getAll('run'));
    if (room === 'history' && segments.length === 2) return scenarioHistory(archive, name);
    return room === 'runs' && rest.length === 0
      ? ((await comparisonFile(archive, name, file)) ?? runFile(archive, name, file, query))
      : nothing;
  }

  return {
    url: `http://${urlHost(loopback())}:${bound}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function defect(error: unknown): Answer {
  console.error(error);
  return wrong(500, 'This is a defect of pushbench; the terminal says more.');
}

async function runFile(
  archive: Archive,
  name: string,
  file: string,
  query: URLSearchParams,
): Promise<Answer> {
  if (file === 'result.json') {
    const text = await archive.file(name, file);
    return text === undefined ? nothing : { status: 200, mediaType: formats.json.mediaType, body: text };
  }
  if (file === 'report.html') {
    const written = await archive.file(name, file);
    if (written !== undefined) return page(linkedDocs(written));
  }
  const format = file === 'report.html' ? 'html' : file;
  if (!isFormat(format)) return nothing;
  const result = await archive.result(name);
  return result ? rendered(format, [result], query.get('variant')) : nothing;
}

async function sideBySide(archive: Archive, names: readonly string[]): Promise<Answer> {
  if (names.length === 0) return wrong(400, 'No run was selected.');
  if (names.length > mostSideBySide)
    return wrong(400, `At most ${mostSideBySide} runs fit one report, and ${names.length} were selected.`);
  const results: Result[] = [];
  for (const name of names) {
    const result = await archive.result(name);
    if (!result) return nothing;
    results.push(result);
  }
  return rendered('html', results, null);
}

/** @param variant which of several documents, where the format holds one variant each */
async function rendered(format: Format, results: readonly Result[], variant: string | null): Promise<Answer> {
  const documents = await documentsOf(format, results, { interactive: false });
  const chosen =
    documents.length === 1 && format !== 'hgrm'
      ? documents[0]
      : documents.find(({ part }) => part === variant);
  if (chosen)
    return {
      status: 200,
      mediaType: formats[format].mediaType,
      body: format === 'html' ? linkedDocs(chosen.text) : chosen.text,
    };
  if (variant !== null) return nothing;
  const links = documents.map(
    ({ part }) => html`<li><a href="?variant=${encodeURIComponent(part)}">${part}</a></li>`,
  );
  return page(
    pageOf(
      format,
      html`<h1>${formats[format].what}</h1>
        <p class="headline">
          ${documents.length === 0 ? 'No trial delivered anything' : 'A file for each variant'}
        </p>
        <ul class="plain">
          ${links}
        </ul>
        <p><a href="/">All runs</a></p>`,
    ),
  );
}

/** @returns the path's segments as they are meant, or `undefined` when one cannot be read */
function decoded(path: string): string[] | undefined {
  try {
    return path.slice(1).split('/').map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function send(
  { method }: IncomingMessage,
  response: ServerResponse,
  { status, mediaType, body }: Answer,
  policy: string,
): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    ...headers,
    'content-security-policy': policy,
    'content-type': `${mediaType}; charset=utf-8`,
    'content-length': bytes.length,
    ...(status === 405 && { allow: 'GET, HEAD' }),
    ...(status === 503 && { 'retry-after': '2' }),
  });
  response.end(method === 'HEAD' ? undefined : bytes);
}

/** One after the other, so that many tabs at once do not hold many reports in memory. */
function createQueue(most: number): (work: () => Promise<Answer>) => Promise<Answer> {
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    if (waiting >= most)
      return Promise.resolve(wrong(503, 'Too many reports are being made; try again in a moment.'));
    waiting++;
    const done = last.then(work).finally(() => waiting--);
    last = done.catch(() => undefined);
    return done;
  };
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, loopback(), () => {
      server.off('error', reject);
      resolve();
    });
  });
}
