// Runs the broker of a trial: a process of its own on loopback, with a folder that is removed with it; or one
// that runs already, by its address. Says whether it answers. servers/brokers/ has the clients of brokers.

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes, UserError } from '../../core/base/errors.ts';
import { kafkaEmulator } from '../../core/base/kafka-emulator.ts';
import { loopback, urlHost } from '../../core/base/loopback.ts';
import type { BrokerAccess } from '../../core/protocol/control.ts';
import type { Servers } from '../../core/scenario/servers.ts';
import { runAtOnce, startTree, type ProcessTree } from '../process/child.ts';
import { asBlock, keepLastLines } from '../process/last-lines.ts';
import { ownFolder, type OwnFolder } from '../process/own-folder.ts';
import { endedWithin, TrialFailure } from '../process/peer.ts';
import type { BesideProcess } from './beside.ts';
import { answers } from './broker-answers.ts';
import { kafkaEmulatorCommand, kafkaEmulatorSays } from './kafka-emulator.ts';
import { findPort } from './ports.ts';

export type BrokerProcess = BesideProcess & {
  readonly role: 'broker';
  readonly access: BrokerAccess;
  /** What stands in for the broker, in words; left out where it is the broker. */
  readonly emulator?: string;
  /**
   * Starts it, the first time or again: on the same port, with the data that it kept. Resolves when it
   * answers.
   * @throws TrialFailure when it does not
   */
  start(): Promise<void>;
  /** A fault: it is asked to end, or killed. Resolves when it is gone. Not for a broker named by address. */
  end(how: 'SIGTERM' | 'SIGKILL'): Promise<void>;
};

type Started = Exclude<Servers['broker']['kind'], 'in-process'>;
type Program = {
  file: string;
  package: string;
  scheme: 'redis' | 'nats' | 'kafka';
  /** The file and its arguments. */
  command(port: number, folder: string): readonly [string, ...string[]];
  /** How it is asked for its version. */
  versionFlag?: string;
  /** Of what chooses its port itself: where it says which; the first group is host and port. */
  says?: RegExp;
  emulator?: string;
};

const redis = (kept: readonly string[]): Program => ({
  file: 'redis-server',
  package: 'redis-server',
  scheme: 'redis',
  command: (port, folder) => [
    'redis-server',
    ...[
      `--port ${port}`,
      `--bind ${loopback()}`,
      '--daemonize no',
      '--protected-mode yes',
      // Redis writes its title over its environment, where the mark is that the guardian looks for.
      '--set-proc-title no',
      ...kept,
    ]
      .flatMap((option) => option.split(' '))
      .concat('--save', '', '--dir', folder),
  ],
});
const nats = (kept: (folder: string) => readonly string[]): Program => ({
  file: 'nats-server',
  package: 'nats-server',
  scheme: 'nats',
  command: (port, folder) => ['nats-server', '--addr', loopback(), '--port', String(port), ...kept(folder)],
});

const kafka: Program = {
  file: 'kcat',
  package: 'kcat',
  scheme: 'kafka',
  command: (_port, folder) => kafkaEmulatorCommand(folder),
  versionFlag: '-V',
  says: kafkaEmulatorSays,
  emulator: kafkaEmulator,
};

/**
 * What keeps a history keeps it over a restart: a stream that is lost with its process would be a broker
 * without one. Redis writes to its file before it answers, so that a kill loses nothing; only a machine that
 * goes down would (`everysec`). Publish and subscribe keep nothing, by what they are.
 */
const programs: Readonly<Record<Started, Program>> = {
  'redis-pubsub': redis(['--appendonly no']),
  'redis-streams': redis(['--appendonly yes', '--appendfsync everysec']),
  nats: nats(() => []),
  jetstream: nats((folder) => ['-js', '-sd', folder]),
  kafka,
};

const startMs = 10_000;
/** For a broker that should already run. */
const namedMs = 2000;
const lookEveryMs = 20;
/** Between being asked and being made to end. */
const graceMs = 2000;
const versionMs = 5000;

/**
 * Which broker is installed here, as it says itself: `redis-server 7.0.15`.
 * @returns undefined where none is started
 * @throws UserError when it is not installed
 */
export function brokerVersion({ kind, url }: Servers['broker']): string | undefined {
  if (kind === 'in-process' || url !== undefined) return undefined;
  const { file, package: name, versionFlag = '--version' } = programs[kind];
  let text: string;
  try {
    text = runAtOnce(file, [versionFlag], { timeoutMs: versionMs });
  } catch {
    throw new UserError(
      'broker',
      `servers.broker: ${kind} is started for each trial, and ${file} is not installed; apt-get install ` +
        `${name}, or name one that runs (servers: { broker: { kind: ${kind}, url: ... } }).`,
      exitCodes.failed,
    );
  }
  const version = /(?:\bv=?|^Version )(\d[\w.-]*)/m.exec(text)?.[1];
  return version === undefined ? text.split('\n', 1)[0] : `${file} ${version}`;
}

/** What keys and subjects of one trial begin with. */
function newName(): string {
  return `pushbench-${process.pid}-${randomBytes(6).toString('hex')}`;
}

/** The broker of one trial; it does not run before `start`. */
export function createBroker({ kind, url }: { kind: Started; url: string | undefined }): BrokerProcess {
  return url === undefined ? ownBroker(kind) : namedBroker(kind, url);
}

function namedBroker(kind: Started, url: string): BrokerProcess {
  return {
    role: 'broker',
    access: { kind, url, name: newName() },
    pid: undefined,
    broken: new Promise(() => {}),
    async start() {
      if (
        !(await answering(
          () => url,
          () => false,
          namedMs,
        ))
      )
        throw new TrialFailure(
          'broker-unreachable',
          `nothing that speaks ${programs[kind].scheme} answers at servers.broker.url (${hostOf(url)}). ` +
            'Start it, or leave the url out: then one is started for each trial.',
        );
    },
    end: () => Promise.reject(new Error('a broker that the scenario names is not ours to end')),
    stop: () => Promise.resolve(),
  };
}

/** An address may hold a password. */
function hostOf(url: string): string {
  return new URL(url).host;
}

function ownBroker(kind: Started): BrokerProcess {
  const { file, scheme, command, says, emulator } = programs[kind];
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {}); // it is awaited only by those who wait for something
  const access: BrokerAccess = {
    kind,
    url: '',
    name: newName(),
    ...(emulator !== undefined && { emulated: true }),
  };
  let place: { folder: OwnFolder; port: number } | undefined;
  let running: { tree: ProcessTree; asked: boolean } | undefined;
  let over = false;

  const end = async (how: 'SIGTERM' | 'SIGKILL') => {
    const ending = running;
    if (!ending) return;
    ending.asked = true;
    if (running === ending) running = undefined;
    ending.tree.signal('SIGCONT'); // one that stands still does not hear that it is asked to end
    ending.tree.signal(how);
    await endedWithin(ending.tree.gone, () => ending.tree.signal('SIGKILL'), graceMs);
  };

  return {
    role: 'broker',
    access,
    ...(emulator !== undefined && { emulator }),
    get pid() {
      return running?.tree.child.pid;
    },
    broken: broken.promise,
    async start() {
      place ??= { folder: await ownFolder('pushbench-broker-'), port: await findPort() };
      if (over) {
        await place.folder.remove(); // it was stopped before there was one
        throw new TrialFailure('over', 'the trial is over');
      }
      const { port } = place;
      const [first, ...args] = command(place.port, place.folder.path);
      const tree = startTree(first, args, { stdio: 'pipe' });
      const own = { tree, asked: false };
      running = own;
      const lastLines = keepLastLines([tree.child.stdout, tree.child.stderr]);
      const where = () => (says ? says.exec(lastLines().join('\n'))?.[1] : `${urlHost(loopback())}:${port}`);
      let answered = false;
      let ended: string | undefined;
      void tree.gone.then((how) => {
        ended = how;
        if (running === own) running = undefined;
        if (answered && !own.asked)
          broken.reject(
            new TrialFailure(
              'broker-ended',
              `the broker (${file}) ended in the middle of the trial (${how}).${asBlock(lastLines())}`,
            ),
          );
      });
      answered = await answering(
        () => {
          const at = where();
          return at === undefined ? undefined : (access.url = `${scheme}://${at}`);
        },
        () => ended !== undefined || over,
      );
      if (answered) return;
      if (over) throw new TrialFailure('over', 'the trial is over');
      const what = ended === undefined ? `did not answer within ${startMs / 1000} s` : `ended (${ended})`;
      await end('SIGKILL');
      throw new TrialFailure(
        'broker',
        `${file} was started as the broker and ${what}.${asBlock(lastLines())}`,
      );
    },
    end,
    async stop() {
      over = true;
      await end('SIGTERM');
      await place?.folder.remove();
    },
  };
}

/**
 * @param urlOf where it is; undefined as long as it has not said so
 * @returns whether it answers in time; false as soon as it is over
 */
async function answering(
  urlOf: () => string | undefined,
  isOver: () => boolean,
  limitMs = startMs,
): Promise<boolean> {
  for (const untilMs = performance.now() + limitMs; performance.now() < untilMs && !isOver();) {
    const url = urlOf();
    if (url !== undefined && (await answers(url))) return !isOver();
    await sleep(lookEveryMs);
  }
  return false;
}
