// Describes the answer of `pushbench plan` as data: for each pattern how many servers it takes, what each of
// them does, where one breaks, what a month takes and costs, and what every figure rests on. Versioned.

import { z } from 'zod';
import { simulatedTrial } from '../result/simulated.ts';
import { limits, questionSchema, type Limit } from './question.ts';

export const planFormat = 'pushbench-plan';
/** Grows when a reader of the previous version could not read the answer. */
export const planVersion = 2;

const amount = z.number().min(0);
const count = z.int().min(0);

/** What a figure rests on. */
export const grounds = ['arithmetic', 'profile', 'simulated'] as const;
export type Ground = (typeof grounds)[number];

/** What the most subscribers within each limit rest on, and servers by the limit that breaks first. */
export const limitGrounds: Readonly<Record<Limit, Ground>> = {
  latency: 'simulated',
  cpu: 'simulated',
  descriptors: 'profile',
  memory: 'profile',
};

const ground = z
  .enum(grounds)
  .describe(
    'arithmetic: follows from the question alone; profile: the figure of a subscriber at rest in the ' +
      'profile, times the number of subscribers; simulated: computed in virtual time from the profile',
  );

const figure = z.strictObject({
  value: amount,
  from: ground,
  off: amount.nullable().describe('the share by which it may be off; 0: exact; null: not known'),
});

const latency = figure
  .nullable()
  .describe('null: it is not known, as the server has more to do than it can and its queue grows');

const server = z
  .strictObject({
    subscribers: z.int().min(1),
    cpuShare: figure.describe('of a core'),
    memoryBytes: figure.describe('resident memory and kernel memory for sockets'),
    descriptors: figure,
    descriptorShare: amount.describe('of the limit'),
    latencyP50Us: latency,
    latencyP99Us: latency,
  })
  .describe('each of the servers; a server with one subscriber if no number of servers is enough');

const breaks = z
  .array(
    z.strictObject({
      limit: z.enum(limits),
      subscribers: count.describe('the most subscribers that one server carries within this limit'),
      isKnown: z
        .boolean()
        .describe('false: no more were tried; another limit is reached before, or one server is enough'),
    }),
  )
  .describe('the limit that is reached first is the first');

const billLine = z
  .strictObject({
    what: z.string(),
    quantity: amount,
    price: amount,
    amount,
    amountIfOff: amount
      .nullable()
      .describe('if the quantity is as far off as expected, in the wrong direction; null: nothing is known'),
    from: ground.describe('what the quantity rests on; its price is from the price file'),
  })
  .describe('a month');

const row = z.strictObject({
  pattern: z.string(),
  label: z.string().describe('of the variant'),
  options: z.record(z.string(), z.unknown()),
  note: z.string().optional().describe('why this row was added'),
  servers: z.int().min(1).nullable().describe('null: no number of servers is enough'),
  serversIfOff: z
    .int()
    .min(1)
    .nullable()
    .describe('if CPU and latency are as far off as expected, in the wrong direction; null: none is enough'),
  why: z.string().optional().describe('why no number of servers is enough'),
  server,
  breaks,
  curve: z
    .array(
      z.strictObject({
        subscribers: z.int().min(1),
        cpuShare: amount,
        latencyP99Us: amount.nullable(),
      }),
    )
    .describe('one server with this many subscribers, wherever this was simulated without overloading it'),
  requestsPerDay: figure,
  messagesPerMonth: figure,
  bytesOutPerMonth: figure.describe('from servers to clients'),
  bytesInPerMonth: figure,
  connectionMinutesPerMonth: figure,
  bill: z
    .strictObject({
      currency: z.string(),
      machines: z.int().min(1),
      lines: z.array(billLine),
      total: amount,
      totalIfOff: amount.nullable().describe('of all lines; null if one of them is null'),
    })
    .nullable()
    .describe('null without prices, and if no number of servers is enough'),
  rests: simulatedTrial
    .pick({ how: true, extrapolated: true, expectedError: true, leavesOut: true })
    .describe('the basis of the simulated figures'),
});

export const capacityPlanSchema = z.strictObject({
  format: z.literal(planFormat),
  version: z.literal(planVersion),
  pushbench: z.string().describe('version of pushbench that computed'),
  command: z.string().describe('repeats it'),
  question: questionSchema,
  assumed: z.array(z.string()).describe('defaults that were used, as flags'),
  profile: z.strictObject({
    name: z.string(),
    createdAt: z.iso.datetime(),
    machine: z.string(),
  }),
  model: z.int().min(1).describe('version of the models'),
  prices: z
    .strictObject({
      file: z.string(),
      currency: z.string(),
      note: z.string().optional(),
      of: z.array(z.strictObject({ what: z.string(), price: amount, source: z.string(), date: z.string() })),
      machine: z.strictObject({ cores: z.int(), memoryBytes: amount }),
    })
    .nullable(),
  rows: z.array(row),
  leftOut: z.array(z.strictObject({ pattern: z.string(), reason: z.string() })),
  leavesOut: z.array(z.string()).describe('what is in no figure, a sentence each'),
});

export type CapacityPlan = z.infer<typeof capacityPlanSchema>;
export type PlanRow = CapacityPlan['rows'][number];
export type PlanFigure = z.infer<typeof figure>;
