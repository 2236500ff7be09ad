// Describes the result of a run: the one value that reports, comparison and gates read. Versioned and
// self-describing, so that a file written today can be read, redrawn and compared years from now.
// Everything in it was measured or says what it was derived from; nothing here is for display only.

import { z } from 'zod';
import { chromium, closedLoop, searches } from './beside-trials.ts';
import { simulatedRun } from './simulated.ts';
import { trial } from './trial.ts';
import { trialFigures } from './trial-figures.ts';

export type { Completed, ResultWarning, Trial } from './trial.ts';
export type { TrialFault } from './trial-fault.ts';
export type { ProcessUse } from './process-use.ts';
export { seriesColumns, type Series, type SeriesColumn } from './series.ts';

export const resultFormat = 'pushbench-result';
/** Grows when a reader of the previous version could not read the file. */
export const resultVersion = 2;

const count = z.int().min(0);

const expectation = z.strictObject({
  variant: z.string(),
  repetition: z.int().min(1),
  check: z.string().describe('as written in the scenario'),
  metric: z.string(),
  bound: z.number(),
  measured: z.number().nullable().describe('null when the trial had no such figure'),
  held: z.boolean(),
  verdict: z
    .enum(['held', 'failed', 'undecided', 'not-judged'])
    .optional()
    .describe(
      'undecided: there is not enough evidence; not judged: there is no valid evidence. Left out in ' +
        'older results, where an expectation that did not hold failed or was not judged',
    ),
  why: z.string().optional().describe('reason, if it is undecided or not judged'),
});

/**
 * How far a run came. A result is unfinished from before its first trial until
 * everything planned was measured.
 */
const state = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('finished') }),
  z.strictObject({
    kind: z
      .literal('unfinished')
      .describe('the run was continuing when this was written; if it is not running now, it was killed'),
  }),
  z.strictObject({ kind: z.literal('interrupted'), by: z.string().describe('the signal') }),
  z.strictObject({ kind: z.literal('failed'), why: z.string().describe('the problem that ended the run') }),
]);

const planned = z.strictObject({
  trials: z
    .array(z.strictObject({ variant: z.string(), repetition: z.int().min(1) }))
    .describe('in the order of the result; empty for a search, whose trials depend on each other'),
  searches: z.array(z.strictObject({ variant: z.string(), what: z.string() })),
  afterwards: z.array(z.enum(['closedLoop', 'chromium'])).describe('what is measured after the trials'),
});

export const resultSchema = z.strictObject({
  format: z.literal(resultFormat),
  version: z.literal(resultVersion),
  pushbench: z.string().describe('version of pushbench that measured'),
  createdAt: z.iso.datetime(),
  command: z.string().describe('repeats the run'),
  seed: count,
  scenario: z.strictObject({
    name: z.string(),
    question: z.string(),
    notice: z.array(z.string()),
    subscribers: count,
    topics: count,
    events: count.describe('measured events in the schedule, per trial'),
    deliveries: count.describe('measured deliveries that the schedule asks for, per trial'),
    answer: z.array(z.string()).optional().describe('metrics that the question asks for'),
    curves: z
      .array(z.string())
      .optional()
      .describe('of a matrix or a search: metrics to draw over its parameters'),
    axis: z
      .strictObject({ says: z.string(), times: z.number(), perSubscriber: z.boolean() })
      .optional()
      .describe(
        'what the first parameter means to a reader, and the factor that converts its value for this',
      ),
    publishedInTurn: z
      .boolean()
      .optional()
      .describe(
        'events were published with one request of a topic at a time, because the run had a target; ' +
          'when left out, over one pipelined connection',
      ),
    phasesMs: z.strictObject({
      connect: z.number(),
      warmup: z.number(),
      measure: z.number(),
      drain: z.number(),
    }),
    source: z.string().describe('the YAML as run, overrides included'),
  }),
  environment: z.strictObject({
    os: z.string(),
    kernel: z.string(),
    cpu: z.string(),
    cores: count.describe('cores that the run may use by affinity and cpuset'),
    quotaCores: z
      .number()
      .positive()
      .optional()
      .describe(
        'cores that a CPU quota of the container (a cgroup, or one above it) leaves; left out without ' +
          'a quota, and in older results',
      ),
    memoryBytes: z.number(),
    memoryLimitBytes: z
      .number()
      .positive()
      .optional()
      .describe('memory limit of the container, if it is less than the machine has; not in older results'),
    loopback: z.literal('::1').optional().describe('the loopback address, if it is not 127.0.0.1'),
    noProc: z.literal(true).optional().describe('the system has no /proc (macOS)'),
    node: z.string(),
    programs: z
      .array(z.string())
      .optional()
      .describe('programs started in addition to the servers, with their versions: the broker, HAProxy'),
    descriptorLimit: count.nullable(),
    commit: z.string().nullable().describe('commit of pushbench, when it is run from its repository'),
  }),
  patterns: z
    .record(
      z.string(),
      z.strictObject({
        title: z.string(),
        how: z.string(),
        lacks: z.record(z.string(), z.string()),
      }),
    )
    .describe('the patterns in this result, and what they cannot do'),
  targets: z
    .array(
      z.strictObject({
        name: z.string(),
        url: z.string(),
        leftOut: z
          .array(z.strictObject({ variant: z.string(), reason: z.string() }))
          .describe('variants that did not run against this target'),
      }),
    )
    .optional()
    .describe('other systems that were measured, in addition to our servers or instead of them'),
  simulated: simulatedRun
    .optional()
    .describe(
      "the trials were computed, and the environment describes the profile's machine. Left out of " +
        'measured results',
    ),
  trials: z.array(trial),
  arm: z.string().optional().describe('for pushbench ab: the name of this side'),
  order: z
    .strictObject({
      design: z
        .literal('balanced-blocks')
        .describe(
          'trials were interleaved: every repetition runs each variant once, and the order changes so ' +
            'that each variant comes before each other one as often as after it',
        ),
      seed: count.describe('seed of the order'),
    })
    .optional()
    .describe('order in which the trials ran, if the list has another: each says when it started'),
  searches,
  closedLoop,
  chromium,
  expectations: z.array(expectation),
  figures: z
    .array(trialFigures)
    .optional()
    .describe(
      'figures of each trial for other programs, as computed by the version that wrote the result; our ' +
        'commands compute them again. Left out while the run continues, and in older results',
    ),
  planned: planned
    .optional()
    .describe('everything that the run should measure; left out in results of version 1'),
  state,
});

/** Version 1 said no more than whether a run was interrupted, and of a run that was killed not even that. */
const firstVersion = resultSchema
  .omit({ version: true, planned: true, state: true })
  .extend({
    version: z.literal(1),
    interrupted: z.boolean(),
  })
  .transform(({ interrupted, ...rest }): Result => ({
    ...rest,
    version: resultVersion,
    state: interrupted ? { kind: 'interrupted', by: 'a signal' } : { kind: 'finished' },
  }));

/** What reads a result of this version or an earlier one. */
export function resultSchemaOf(version: number): z.ZodType<Result> {
  return version === 1 ? firstVersion : resultSchema;
}

export type Result = z.infer<typeof resultSchema>;
export type Planned = z.infer<typeof planned>;
export type Expectation = z.infer<typeof expectation>;
export type Environment = Result['environment'];
