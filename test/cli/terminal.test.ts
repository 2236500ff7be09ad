// Holds how output fits where it goes: a live bar on a terminal, plain lines in a file and on a terminal that
// only prints.

import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test, vi } from 'vitest';
import { createLiveView, liveMode } from '../../cli/live.ts';
import { isLive, lineFor, terminalOf } from '../../cli/terminal.ts';

/** A stream that keeps what is written to it. */
function fakeStream(traits: { isTTY?: boolean; columns?: number; hasColors?: () => boolean }) {
  let written = '';
  const stream = Object.assign(
    new Writable({
      write(chunk, _encoding, done) {
        written += String(chunk);
        done();
      },
    }),
    { rows: 24, ...traits },
  );
  // It has all of a WriteStream that is used here.
  return { stream: stream as unknown as NodeJS.WriteStream, written: () => written };
}

const variant = { pattern: 'sse', options: {}, label: 'sse' };
const measuring = { phase: 'measure', share: 0.42, connected: 100, published: 210, delivered: 2100 } as const;

test('0 columns are unknown, as no columns are', () => {
  assert.deepEqual(terminalOf(fakeStream({ columns: 0 }).stream), { columns: 120, color: false });
  assert.deepEqual(terminalOf(fakeStream({}).stream), { columns: 120, color: false });
  assert.deepEqual(terminalOf(fakeStream({ columns: 80, hasColors: () => true }).stream), {
    columns: 80,
    color: true,
  });
});

test('TERM=dumb and a file get plain lines', () => {
  const { stream } = fakeStream({ isTTY: true });
  assert.equal(isLive(stream, { TERM: 'xterm' }), true);
  assert.equal(isLive(stream, { TERM: 'dumb' }), false);
  assert.equal(isLive(fakeStream({}).stream, { TERM: 'xterm' }), false);
  assert.equal(liveMode(true, stream), 'quiet');
});

test('lines are broken between words on a terminal, and whole in a file', () => {
  const text = '  a sentence of some words';
  assert.equal(
    lineFor(fakeStream({ isTTY: true, columns: 14 }).stream, text),
    '  a sentence\n  of some\n  words',
  );
  assert.equal(lineFor(fakeStream({ isTTY: true, columns: 0 }).stream, text), text);
  assert.equal(lineFor(fakeStream({}).stream, text), text);
});

test('a bar shows how much of the run is over, and how long it will take', () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
  try {
    const { stream, written } = fakeStream({ isTTY: true, columns: 80 });
    const view = createLiveView('live', stream);
    view.trialStarted(variant, 1, 6, 100, 90_000);
    vi.setSystemTime(1_030_000);
    view.progress(measuring);
    view.close();
    assert.match(
      written(),
      /\[1\/6\] sse: measuring 42 %\n█{8}░{16} about 60 s left\n100 of 100 subscribers/,
    );
  } finally {
    vi.useRealTimers();
  }
});

test('a search has no known end: its bar is that of the phase', () => {
  const { stream, written } = fakeStream({ isTTY: true, columns: 80 });
  const view = createLiveView('live', stream);
  view.trialStarted(variant, 1, 40, 100);
  view.progress({ ...measuring, share: 0.5 });
  view.close();
  assert.match(written(), /measuring 50 %\n█{12}░{12}\n100 of/);
});

test('plain lines say once a trial how long it will take', () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
  try {
    const { stream, written } = fakeStream({});
    const view = createLiveView('lines', stream);
    view.trialStarted(variant, 1, 6, 100, 150_000);
    for (const phase of ['start', 'connect', 'connect', 'measure', 'close'] as const)
      view.progress({ ...measuring, phase });
    assert.equal(written(), '[1/6] sse: connecting (about 3 min left)\n[1/6] sse: measuring\n');
  } finally {
    vi.useRealTimers();
  }
});
