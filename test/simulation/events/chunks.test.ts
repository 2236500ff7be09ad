// Tests that blocks of memory lie on pages that are there, in whichever order pages fill and empty.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { newChunks, pageOf } from '../../../simulation/events/chunks.ts';

const pageChunks = 2048;

test('a page that was full as another got room is given back once, and not taken from again', () => {
  const chunks = newChunks(2 ** 31);
  const pages: number[][] = [[], [], []];
  for (let i = 0; i < 3 * pageChunks; i++) {
    const chunk = chunks.take();
    pages[pageOf(chunk)]!.push(chunk);
  }
  const [zero, one, two] = pages as [number[], number[], number[]]; // there are three
  for (const page of [zero, two, one]) chunks.give(page.pop()!);
  for (const page of [two, one]) while (page.length > 0) chunks.give(page.pop()!);
  const taken = new Set(zero);
  for (let i = 0; i < 3 * pageChunks; i++) {
    const chunk = chunks.take();
    assert.ok(chunks.pages[pageOf(chunk)]!.length > 0, `block ${chunk} is on no page`);
    assert.ok(!taken.has(chunk), `block ${chunk} was given twice`);
    taken.add(chunk);
  }
});
