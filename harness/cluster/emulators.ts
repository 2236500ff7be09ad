// Runs what stands in for a queue that nobody has named, for a trial: a process of its own on loopback. It
// keeps nothing beyond the trial. Its semantics are those of the service, its times are not
// (core/result/voids.ts).

import { fileURLToPath } from 'node:url';
import { exitCodes, messageOf, UserError } from '../../core/base/errors.ts';
import { later } from '../../core/base/clock.ts';
import { kafkaEmulator } from '../../core/base/kafka-emulator.ts';
import type { QueueKind } from '../../core/pattern/pattern.ts';
import { runAtOnce, startTree, type ProcessTree } from '../process/child.ts';
import { asBlock, keepLastLines } from '../process/last-lines.ts';
import { ownFolder, type OwnFolder } from '../process/own-folder.ts';
import { endedWithin, TrialFailure } from '../process/peer.ts';
import type { BesideProcess } from './beside.ts';
import { kafkaEmulatorCommand, kafkaEmulatorSays } from './kafka-emulator.ts';

export type Emulator = BesideProcess & {
  /**
   * Resolves when it answers, with where.
   * @throws TrialFailure when it does not
   */
  start(): Promise<string>;
};

type Program = {
  what: string;
  /** The file and its arguments. @param folder of its own, which is removed with it */
  command(folder: string): readonly [string, ...string[]];
  /** What it prints when it answers; the first group is where. */
  says: RegExp;
  /** What the address begins with; the program does not print it. */
  scheme: string;
  /** @throws Error when it is not installed */
  check(): void;
  /** What to do about that. */
  advice: string;
};

// The same file runs as .ts from the repository and as .js from the package.
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
const sqsProgram = fileURLToPath(new URL(`sqs-emulator${extension}`, import.meta.url));

const programs: Readonly<Record<QueueKind, Program>> = {
  sqs: {
    what: 'fauxqs, an emulator of SQS',
    command: () => [process.execPath, sqsProgram],
    says: /^listening at http:\/\/(\S+)$/m,
    scheme: 'http',
    check: () => void import.meta.resolve('fauxqs'),
    advice: 'npm install fauxqs@2.4.1, or name a queue that exists (its option sqs)',
  },
  kafka: {
    what: kafkaEmulator,
    command: kafkaEmulatorCommand,
    says: kafkaEmulatorSays,
    scheme: 'kafka',
    check: () => void runAtOnce('kcat', ['-V'], { timeoutMs: 5000 }),
    advice: 'apt-get install kcat, or name a topic of a cluster that runs (its option kafka)',
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
  const { what, command, says, scheme } = programs[kind];
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {}); // it is awaited only by those who wait for something
  let tree: ProcessTree | undefined;
  let folder: OwnFolder | undefined;
  let over = false;
  return {
    role: 'broker',
    get pid() {
      return tree?.child.pid;
    },
    broken: broken.promise,
    async start() {
      folder = await ownFolder('pushbench-emulator-');
      if (over) {
        await folder.remove();
        throw new TrialFailure('over', 'the trial is over');
      }
      const [file, ...args] = command(folder.path);
      const started = startTree(file, args, { stdio: 'pipe' });
      tree = started;
      const lines = keepLastLines([started.child.stdout, started.child.stderr]);
      const failure = (how: string) =>
        new TrialFailure('emulator', `${what}, was started as the queue and ${how}.${asBlock(lines())}`);
      const answering = Promise.withResolvers<string>();
      const clear = later(startMs, () => answering.reject(failure(`did not answer in ${startMs / 1000} s`)));
      const look = () => {
        const found = says.exec(lines().join('\n'))?.[1];
        if (found !== undefined) answering.resolve(`${scheme}://${found}`);
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
      await folder?.remove();
    },
  };
}
