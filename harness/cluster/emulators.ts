// Runs what stands in for a queue that nobody has named, for a trial: a process of its own on loopback. It
// keeps nothing beyond the trial. Its semantics are those of the service, its times are not
// (core/result/voids.ts).

import { fileURLToPath } from 'node:url';
import { exitCodes, messageOf, UserError } from '../../core/base/errors.ts';
import { later } from '../../core/base/clock.ts';
import type { QueueKind } from '../../core/pattern/pattern.ts';
import { startTree, type ProcessTree } from '../process/child.ts';
import { asBlock, keepLastLines } from '../process/last-lines.ts';
import { endedWithin, TrialFailure } from '../process/peer.ts';
import type { BesideProcess } from './beside.ts';

export type Emulator = BesideProcess & {
  /**
   * Resolves when it answers, with where.
   * @throws TrialFailure when it does not
   */
  start(): Promise<string>;
};

type Program = {
  what: string;
  file: string;
  args: readonly string[];
  /** What it prints when it answers; the first group is where. */
  says: RegExp;
  /** @throws Error when it is not installed */
  check(): string;
  /** What to do about that. */
  advice: string;
};

// The same file runs as .ts from the repository and as .js from the package.
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
const sqsProgram = fileURLToPath(new URL(`sqs-emulator${extension}`, import.meta.url));

const programs: Readonly<Record<QueueKind, Program>> = {
  sqs: {
    what: 'fauxqs, an emulator of SQS',
    file: process.execPath,
    args: [sqsProgram],
    says: /^listening at (\S+)$/m,
    check: () => import.meta.resolve('fauxqs'),
    advice: 'npm install fauxqs@2.4.1, or name a queue that exists (its option sqs)',
  },
};

const startMs = 15_000;
/** Between being asked and being made to end. */
const graceMs = 1000;

/**
 * What stands in for the queue of a variant.
 * @throws UserError when it is not installed
 */
export function emulatorName(kind: QueueKind, label: string): string {
  const { what, check, advice } = programs[kind];
  try {
    check();
  } catch (error) {
    throw new UserError(
      'emulator',
      `"${label}" names no queue, so each trial starts ${what}, and it is not installed ` +
        `(${messageOf(error).slice(0, 100)}); ${advice}.`,
      exitCodes.failed,
    );
  }
  return what;
}

/** The emulator of one trial; it does not run before `start`. */
export function createEmulator(kind: QueueKind): Emulator {
  const { what, file, args, says } = programs[kind];
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {}); // it is awaited only by those who wait for something
  let tree: ProcessTree | undefined;
  let over = false;
  return {
    role: 'broker',
    get pid() {
      return tree?.child.pid;
    },
    broken: broken.promise,
    async start() {
      const started = startTree(file, args, { stdio: 'pipe' });
      tree = started;
      const lines = keepLastLines([started.child.stdout, started.child.stderr]);
      const failure = (how: string) =>
        new TrialFailure('emulator', `${what}, was started as the queue and ${how}.${asBlock(lines())}`);
      const answering = Promise.withResolvers<string>();
      const clear = later(startMs, () => answering.reject(failure(`did not answer in ${startMs / 1000} s`)));
      const look = () => {
        const found = says.exec(lines().join('\n'))?.[1];
        if (found !== undefined) answering.resolve(found);
      };
      for (const stream of [started.child.stdout, started.child.stderr]) stream?.on('data', look);
      void started.gone.then((how) => {
        answering.reject(failure(`ended (${how})`));
        if (!over) broken.reject(failure(`ended in the middle of the trial (${how})`));
      });
      return answering.promise.finally(clear);
    },
    async stop() {
      over = true;
      const ending = tree;
      tree = undefined;
      ending?.signal('SIGTERM');
      if (ending) await endedWithin(ending.gone, () => ending.signal('SIGKILL'), graceMs);
    },
  };
}
