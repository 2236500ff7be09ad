// Describes how subscribers behave: how they connect again, and what the browsers ask whose pages they are.

import { z } from 'zod';
import { interval, rate } from '../base/quantities.ts';
import { listNames } from '../base/suggest.ts';
import { adviceNames, policyNames, presets, type PolicyName } from '../policy/client/presets.ts';
import type { ReconnectPolicy } from '../policy/client/reconnect.ts';

const positive = z.int().min(1);
const adjustable = policyNames.filter((name) => presets[name].adjustable);

const policyName = z.enum(policyNames);
const policyWithOptions = z
  .strictObject({
    policy: policyName
      .default('full-jitter')
      .describe('full-jitter, decorrelated, or what a client does by default'),
    base: interval
      .optional()
      .describe(
        'base of the waits, 100ms when left out (socket.io 1s, centrifuge 500ms); with full-jitter the ' +
          'wait before the first attempt is at most this long, half of it on average',
      ),
    cap: interval
      .optional()
      .describe(
        'the longest wait of the client itself, 5s when left out (centrifuge 20s); a wait that the ' +
          'server asks for is added to it',
      ),
    reset: z
      .union([
        z.literal('on-open'),
        z.strictObject({ stable: interval.describe('for how long it has to be up') }),
      ])
      .optional()
      .describe(
        'when the backoff starts again: on-open, as soon as a connection opens, or once one has been ' +
          'up for a while, such as { stable: 10s }; when left out, as the policy does',
      ),
    advice: z
      .enum(adviceNames)
      .optional()
      .describe(
        "whether clients follow a server's advice: obey (Retry-After, an event stream's retry, close " +
          "code 1013, a reconnect window), retry (only an event stream's retry), ignore; when left out, " +
          'as the policy does',
      ),
  })
  .superRefine(({ policy, base, cap }, context) => {
    const preset = presets[policy];
    for (const [name, given] of Object.entries({ base, cap })) {
      if (given === undefined || preset.adjustable) continue;
      context.addIssue({
        code: 'custom',
        path: [name],
        message: `${policy} has waits of its own; base and cap belong to ${listNames(adjustable)}`,
      });
    }
    if (preset.adjustable && (cap ?? preset.cap) < (base ?? preset.base))
      context.addIssue({
        code: 'custom',
        path: [cap === undefined ? 'base' : 'cap'],
        message:
          cap === undefined
            ? `base is longer than the cap of ${policy}, ${preset.cap / 1000} s; set cap too`
            : 'cap is shorter than base, so no wait could be as long as base asks',
      });
  });

export const reconnect = z.union([
  policyName.transform((policy) => whole({ policy })),
  policyWithOptions.transform(whole),
]);

type Given = { [Name in keyof ReconnectPolicy]?: ReconnectPolicy[Name] | undefined } & { policy: PolicyName };

/** What is left out is the policy's own. */
function whole({ policy, ...given }: Given): Required<ReconnectPolicy> {
  const { base, cap, reset, advice } = presets[policy];
  return {
    policy,
    base: given.base ?? base,
    cap: given.cap ?? cap,
    reset: given.reset ?? reset,
    advice: given.advice ?? advice,
  };
}

export const browser = z.strictObject({
  tabs: positive.max(250).describe('pages of one browser, each a subscriber'),
  requests: rate.describe('other requests of one browser to the same host'),
  connections: positive
    .max(1000)
    .default(6)
    .describe('connections that a browser opens to one host over HTTP/1.1; over HTTP/2 it opens one'),
  chromium: z
    .array(positive.max(20))
    .max(6)
    .default([])
    .describe(
      'after the trials, this many pages in a real Chromium, each with a stream and a request; skipped ' +
        'with a reason if it is not installed',
    ),
});
