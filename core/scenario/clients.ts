// Describes how subscribers behave: how they connect again, and what the browsers ask whose pages they are.

import { z } from 'zod';
import { interval, rate } from '../base/quantities.ts';

const positive = z.int().min(1);

export const reconnect = z
  .strictObject({
    base: interval
      .prefault('100ms')
      .describe('the random wait before the first attempt is at most this long, half of it in the mean'),
    cap: interval
      .prefault('5s')
      .describe('no random wait is longer; what a server asks for comes on top of it'),
  })
  .refine(({ base, cap }) => cap >= base, {
    error: 'cap is shorter than base, so no wait could be as long as base asks',
    path: ['cap'],
  });

export const browser = z.strictObject({
  tabs: positive.max(250).describe('pages of one browser, each a subscriber'),
  requests: rate.describe('other requests of one browser to the same host'),
  connections: positive
    .max(1000)
    .default(6)
    .describe('that a browser opens to one host over HTTP/1.1; over HTTP/2 it opens one'),
  chromium: z
    .array(positive.max(20))
    .max(6)
    .default([])
    .describe(
      'after the trials, as many pages in a real Chromium, with a stream and a request each; skipped ' +
        'with the reason where it is not installed',
    ),
});
