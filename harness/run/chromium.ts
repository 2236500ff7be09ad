// Opens pages in a real Chromium, after the trials: how many of them get their stream from our server, and
// how many are answered when each asks the same host for something else. It checks what the load side's
// browsers do on a plan (load/subscribers/pages.ts) against a real one. No latency is taken from it: a
// browser on the machine that is measured takes its share.

import { existsSync } from 'node:fs';
import type { Browser, BrowserType, Page } from 'playwright-core';
import { messageOf } from '../../core/base/errors.ts';
import type { Pattern, PatternRegistry } from '../../core/pattern/pattern.ts';
import type { Variant } from '../../core/pattern/variant.ts';
import { later } from '../../core/base/clock.ts';
import type { Result } from '../../core/result/result.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { endMarked, guardOthers, markedEnvironment } from '../process/child.ts';
import type { Fleet } from '../trial/fleet.ts';
import { hurriedGraceMs } from '../process/peer.ts';

export type ChromiumPages = NonNullable<Result['chromium']>;
type Opened = Extract<ChromiumPages, { status: 'measured' }>['opened'][number];

const executables = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
  '--disable-sync',
];

/** Longer than any answer takes that comes at all. */
const patienceMs = 2000;
const startLimitMs = 20_000;
const stopGraceMs = 3000;

/**
 * Each variant with each number of pages, on a fresh server and with a fresh profile.
 * @returns why nothing was measured where there is no browser, or it or a server fails
 * @throws the signal's reason when it is aborted
 */
export async function openInChromium(
  pages: readonly number[],
  { variants, server: limits, seed }: Pick<Scenario, 'variants' | 'server' | 'seed'>,
  registry: PatternRegistry,
  fleet: Fleet,
  signal: AbortSignal,
  executable = executables.find(existsSync),
): Promise<ChromiumPages> {
  const ours = variants.filter(({ target }) => target === undefined);
  if (ours.length === 0)
    return { status: 'skipped', reason: 'its pages open our own servers, and none of them ran' };
  if (executable === undefined || !existsSync(executable))
    return { status: 'skipped', reason: 'Chromium is not installed (Debian: apt-get install chromium)' };
  const playwright = await import('playwright-core').catch(() => undefined);
  if (!playwright)
    return {
      status: 'skipped',
      reason:
        'the package playwright-core, which drives Chromium, is not installed (npm install playwright-core)',
    };
  guardOthers();
  let browser: Browser;
  try {
    browser = await launched(playwright.chromium, executable, signal);
  } catch (error) {
    signal.throwIfAborted();
    return { status: 'skipped', reason: `Chromium did not start: ${messageOf(error).split('\n')[0]}` };
  }
  try {
    const opened: Opened[] = [];
    for (const variant of ours) {
      for (const count of pages)
        opened.push(
          await openPages(
            browser,
            count,
            variant,
            registry[variant.pattern]!,
            { limits, seed },
            fleet,
            signal,
          ),
        );
    }
    return { status: 'measured', version: browser.version(), patienceMs, opened };
  } catch (error) {
    if (signal.aborted) throw error;
    // The trials have been measured, and a browser that fails after them takes nothing from them.
    return { status: 'skipped', reason: `it went wrong: ${messageOf(error).split('\n')[0]}` };
  } finally {
    await closed(browser, signal);
  }
}

/** In the mark of the browser and all its processes. */
const role = '-chromium';

/** A browser; it and its start end when the run is interrupted. */
async function launched(type: BrowserType, executablePath: string, signal: AbortSignal): Promise<Browser> {
  const onAbort = () => endMarked(role);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    // The harness ends it on a signal, and not it itself.
    const browser = await type.launch({
      executablePath,
      args,
      env: markedEnvironment(role),
      timeout: startLimitMs,
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
    if (signal.aborted) await closed(browser, signal);
    signal.throwIfAborted();
    return browser;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Closes it, by force where it does not close in time: a browser can hang, or be stopped. */
async function closed(browser: Browser, signal: AbortSignal): Promise<void> {
  const clear = later(signal.aborted ? hurriedGraceMs : stopGraceMs, () => endMarked(role));
  await browser.close().catch(() => {}); // its process is gone
  clear();
}

async function openPages(
  browser: Browser,
  count: number,
  { pattern, options, label }: Variant,
  { pageOpens, path }: Pattern,
  start: { limits: Scenario['server']; seed: number },
  fleet: Fleet,
  signal: AbortSignal,
): Promise<Opened> {
  signal.throwIfAborted();
  const server = fleet.server();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const work = async (): Promise<Opened> => {
    // Connections are shared by all pages of a profile, and by those of no other.
    // The test certificate was not signed by an authority.
    await using profile = await browser.newContext({ ignoreHTTPSErrors: true });
    server.send({ kind: 'start', pattern, options, ...start });
    const {
      endpoint: { url },
    } = await server.next('listening', startLimitMs);
    const all = await Promise.all(Array.from({ length: count }, () => profile.newPage()));
    // One after another and before any stream, as none could be loaded beside six.
    for (const page of all) await page.goto(url, { timeout: startLimitMs });
    const address = new URL(`${path}?topics=news`, url);
    const opens = pageOpens!; // contradictions.ts refuses patterns without
    if (opens === 'WebSocket') address.protocol = address.protocol.replace('http', 'ws');
    const streams = await Promise.all(all.map((page) => openStream(page, opens, address.href)));
    const answers = await Promise.all(all.map((page) => isAnswered(page)));
    return {
      variant: label,
      pages: count,
      streams: streams.filter(Boolean).length,
      answered: answers.filter(Boolean).length,
    };
  };
  try {
    const working = work();
    working.catch(() => {}); // when something else ended the race
    return await Promise.race([working, aborted.promise, server.broken]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    await server.stop(stopGraceMs, signal);
  }
}

/** @returns whether it stood before patience ended */
function openStream(page: Page, opens: NonNullable<Pattern['pageOpens']>, url: string): Promise<boolean> {
  return page.evaluate(
    ([how, address, patience]) =>
      new Promise<boolean>((resolve) => {
        setTimeout(() => resolve(false), patience);
        // The page's own, so that it is not collected.
        const keep = (stream: unknown) => Object.assign(globalThis, { stream });
        if (how === 'fetch') {
          fetch(address).then(
            (response) => (keep(response), resolve(response.ok)),
            () => resolve(false),
          );
          return;
        }
        const stream = how === 'WebSocket' ? new WebSocket(address) : new EventSource(address);
        keep(stream);
        stream.onopen = () => resolve(true);
      }),
    [opens, url, patienceMs] as const,
  );
}

/** Asks for something small. @returns whether an answer came before patience ended */
function isAnswered(page: Page): Promise<boolean> {
  return page.evaluate(
    (patience) =>
      fetch('/', { cache: 'no-store', signal: AbortSignal.timeout(patience) }).then(
        (response) => response.ok,
        () => false,
      ),
    patienceMs,
  );
}
