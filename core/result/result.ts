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
  variant: z.string().describe('label of the variant'),
  repetition: z.int().min(1).describe('which of its trials'),
  check: z.string().describe('as the scenario wrote it'),
  metric: z.string().describe('the metric that it is about'),
  bound: z.number().describe("what the figure was compared with, in the metric's unit"),
  measured: z.number().nullable().describe('the figure; null when the trial had none'),
  held: z.boolean().describe('whether it held'),
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
 * How far a run got. A result is unfinished from before its first trial until everything planned was
 * measured.
 */
const state = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('finished').describe('everything planned was measured') }),
  z.strictObject({
    kind: z
      .literal('unfinished')
      .describe('the run was not over when this was written; if it is not running now, it was killed'),
  }),
  z.strictObject({
    kind: z.literal('interrupted').describe('a signal ended the run'),
    by: z.string().describe('the signal'),
  }),
  z.strictObject({
    kind: z.literal('failed').describe('a problem ended the run'),
    why: z.string().describe('the problem'),
  }),
]);

const planned = z.strictObject({
  trials: z
    .array(
      z.strictObject({
        variant: z.string().describe('its label'),
        repetition: z.int().min(1).describe('which of its trials'),
      }),
    )
    .describe('in the order of the result; empty for a search, whose trials depend on one another'),
  searches: z
    .array(
      z.strictObject({
        variant: z.string().describe('its label'),
        what: z.string().describe('path in the scenario'),
      }),
    )
    .describe('one for each variant'),
  afterwards: z.array(z.enum(['closedLoop', 'chromium'])).describe('measured when the trials are over'),
});

export const resultSchema = z.strictObject({
  format: z.literal(resultFormat).describe('what kind of file it is'),
  version: z
    .literal(resultVersion)
    .describe('increases when earlier versions of pushbench cannot read the file'),
  pushbench: z.string().describe('version of pushbench that measured'),
  createdAt: z.iso.datetime().describe('when the run began'),
  command: z.string().describe('command that repeats the run'),
  seed: count.describe('seed of schedule, sizes and jitter'),
  scenario: z
    .strictObject({
      name: z.string().describe("the file's name without its ending"),
      question: z.string().describe('the question that it answers'),
      notice: z.array(z.string()).describe('what a reader should look at'),
      subscribers: count.describe('simulated clients'),
      topics: count.describe('how many there are'),
      events: count.describe('measured events in the schedule, per trial'),
      deliveries: count.describe('measured deliveries that the schedule asks for, per trial'),
      answer: z.array(z.string()).optional().describe('metrics that the question asks for'),
      curves: z
        .array(z.string())
        .optional()
        .describe('of a matrix or a search: metrics to draw over its parameters'),
      axis: z
        .strictObject({
          says: z.string().describe('what the values mean to a reader'),
          times: z.number().describe('the factor that converts its value for this'),
          perSubscriber: z.boolean().describe('whether it is divided by the number of subscribers first'),
        })
        .optional()
        .describe(
          'what the first parameter means to a reader, and the factor that converts its value for this',
        ),
      publishedInTurn: z
        .boolean()
        .optional()
        .describe(
          'every system was published to with one request of a topic at a time, as the run had a target; ' +
            'our servers over one pipelined connection when left out',
        ),
      phasesMs: z
        .strictObject({
          connect: z.number().describe('the ramp on which subscribers connect'),
          warmup: z.number().describe('published and not counted'),
          measure: z.number().describe('published and counted'),
          drain: z.number().describe('how long deliveries may still arrive'),
        })
        .describe('length of each phase in milliseconds'),
      source: z.string().describe('the YAML as run, overrides included'),
    })
    .describe('what was run'),
  environment: z
    .strictObject({
      os: z.string().describe('operating system'),
      kernel: z.string().describe('its version'),
      cpu: z.string().describe('model of the processor'),
      cores: count.describe('cores that the run may use (affinity, cpuset)'),
      quotaCores: z
        .number()
        .positive()
        .optional()
        .describe(
          'how many of them a CPU quota of its container (a cgroup, or one above it) leaves; left out ' +
            'without a quota, and in older results',
        ),
      memoryBytes: z.number().describe('of the machine'),
      memoryLimitBytes: z
        .number()
        .positive()
        .optional()
        .describe('limit of its container, if that is less than the machine has; not in older results'),
      loopback: z.literal('::1').optional().describe('the loopback address, if it is not 127.0.0.1'),
      noProc: z.literal(true).optional().describe('the system has no /proc (macOS)'),
      node: z.string().describe('version of Node'),
      programs: z
        .array(z.string())
        .optional()
        .describe('programs started in addition to the servers, with their versions: the broker, HAProxy'),
      descriptorLimit: count.nullable().describe('how many a process may have; null without /proc'),
      commit: z.string().nullable().describe('of pushbench itself, when run from its repository'),
    })
    .describe('the machine and its programs'),
  patterns: z
    .record(
      z.string(),
      z.strictObject({
        title: z.string().describe('for people'),
        how: z.string().describe('how an event reaches the subscriber'),
        lacks: z.record(z.string(), z.string()).describe('what it cannot do, with the reason'),
      }),
    )
    .describe('the patterns in this result, and what they cannot do'),
  targets: z
    .array(
      z.strictObject({
        name: z.string().describe('as its file says it'),
        url: z.string().describe('where it is'),
        leftOut: z
          .array(
            z.strictObject({
              variant: z.string().describe('its label'),
              reason: z.string().describe('why it could not run'),
            }),
          )
          .describe('variants that did not run against it'),
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
  trials: z.array(trial).describe('one for each variant and repetition'),
  arm: z.string().optional().describe('of pushbench ab: what this side was called'),
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
  expectations: z.array(expectation).describe('outcome of each check, for each trial that it applies to'),
  figures: z
    .array(trialFigures)
    .optional()
    .describe(
      'figures of each trial for other programs, as computed by the version that wrote the result; our ' +
        'commands compute them again. Left out while the run continues, and in older results',
    ),
  planned: planned.optional().describe('everything the run was to measure; left out in results of version 1'),
  state: state.describe('how far the run got'),
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
