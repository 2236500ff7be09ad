// Tells measured runs from simulated ones, and refuses to compare the two unless it is asked for.

import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import type { Result } from '../result/result.ts';

/** What a side keeps of how its runs came about. */
export const simulatedSide = z
  .strictObject({ profile: z.string(), model: z.number() })
  .optional()
  .describe('what simulated runs were computed from; left out for measured runs');

type Made = { simulated?: z.infer<typeof simulatedSide> };

/** What a comparison, a baseline and a history keep of how a result came about. */
export function originOf({ simulated }: Pick<Result, 'simulated'>): Made {
  return simulated ? { simulated: { profile: simulated.profile.name, model: simulated.model } } : {};
}

/** `measured`, `simulated from the profile "small" by models of version 1` */
export function originText({ simulated }: Made): string {
  return simulated === undefined
    ? 'measured'
    : `simulated from the profile "${simulated.profile}" by models of version ${simulated.model}`;
}

/** @throws UserError `simulated` where the two came about in different ways */
export function refuseMixed(baseline: Made & { name: string }, candidate: Made & { name: string }): void {
  const [from, to] = [originText(baseline), originText(candidate)];
  if (from === to) return;
  throw new UserError(
    'simulated',
    `${baseline.name} was ${from}, and ${candidate.name} was ${to}: a difference between them may be that ` +
      'of the models. pushbench report draws both side by side; --simulated-too compares them all the same.',
  );
}
