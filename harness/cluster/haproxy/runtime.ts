// Speaks HAProxy's runtime API: one command a connection to the socket of its master process, which passes
// commands on to the workers, those of before a reload too. What HAProxy refuses becomes an error with its
// words.

import { connect } from 'node:net';
import { later } from '../../../core/base/clock.ts';
import { backendName } from './config.ts';

/** The most that an answer may hold: a line of `show stat` is about 600 bytes, one of `show sess` 350. */
const mostAnswerBytes = 64 * 1024 ** 2;
/** Sessions that are ended with one question. */
const mostAtOnce = 200;
const answerMs = 5000;

/** `gone`: nobody answers at the socket. `refused`: HAProxy said no, and `message` has its words. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly code: 'gone' | 'late' | 'refused' | 'too-large' | 'unreadable';

  constructor(code: RuntimeError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Which process a command is for: the master, the newest worker, or a worker by its process id. */
export type Recipient = 'master' | 'newest' | number;

export type Runtime = {
  /** Sends a command and gives the answer as it is. @throws RuntimeError */
  ask(command: string, to?: Recipient): Promise<string>;
  /** Sends a command that answers nothing when it has worked. @throws RuntimeError */
  tell(command: string, to?: Recipient): Promise<void>;
  /**
   * Ends all sessions of a server in one process, one by one: of a process that takes no more connections
   * HAProxy refuses to end them together.
   */
  endSessions(server: string, of: number): Promise<void>;
  processes(): Promise<HaproxyProcess[]>;
  stats(to?: Recipient): Promise<ServerStat[]>;
  /** As HAProxy reads it from a state file. */
  stateFile(): Promise<string>;
};

/** A process of `show proc`. @property reloads how many there were since it started; of a master, all */
export type HaproxyProcess = {
  pid: number;
  type: 'master' | 'worker';
  reloads: number;
  failedReloads: number;
};

/** A server in `show stat`. */
export type ServerStat = {
  name: string;
  /** Sessions now: connections in mode tcp and upgraded ones, requests that are not answered in mode http. */
  sessions: number;
  /** `UP`, `DOWN`, `DRAIN`, `MAINT`, `UP 1/2` while a check fails ... */
  status: string;
  /** A check has said so; before the first one a server counts as up. */
  isSure: boolean;
};

/** @param path the socket of the master process */
export function createRuntime(path: string): Runtime {
  const ask = (command: string, to: Recipient = 'newest') => {
    if (/[\n;]/.test(command)) throw new RangeError(`not one command: ${JSON.stringify(command)}`);
    return exchange(path, prefixOf(to) + command);
  };
  return {
    ask,
    async tell(command, to) {
      const words = (await ask(command, to)).trim();
      if (words !== '')
        throw new RuntimeError('refused', `HAProxy refused "${command}": ${firstLine(words)}`);
    },
    async endSessions(server, of) {
      const ids = sessionsIn(await ask('show sess', of), server);
      for (let i = 0; i < ids.length; i += mostAtOnce) {
        const some = ids.slice(i, i + mostAtOnce).map((id) => `${prefixOf(of)}shutdown session ${id}`);
        await exchange(path, some.join('\n')); // one that has ended by itself is refused, and that is fine
      }
    },
    processes: async () => readProcesses(await ask('show proc', 'master')),
    stats: async (to) => serversIn(await ask('show stat', to)),
    async stateFile() {
      const text = await ask('show servers state');
      // Its version, and the names of its columns.
      if (!text.startsWith('1\n# ')) throw unreadable('show servers state', text);
      return text;
    },
  };
}

function prefixOf(to: Recipient): string {
  if (to === 'master') return '';
  return to === 'newest' ? '@1 ' : `@!${to} `;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!.trim();
}

/** One question a connection: when we end our side, HAProxy answers and closes. */
function exchange(path: string, command: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const pieces: Buffer[] = [];
  let bytes = 0;
  const socket = connect(path);
  const clear = later(answerMs, () =>
    socket.destroy(
      new RuntimeError('late', `HAProxy did not answer "${command}" within ${answerMs / 1000} s`),
    ),
  );
  socket
    .on('error', (error: NodeJS.ErrnoException) => {
      if (error instanceof RuntimeError) reject(error);
      else reject(new RuntimeError('gone', `HAProxy's runtime API is gone (${error.code ?? error.message})`));
    })
    .on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > mostAnswerBytes)
        socket.destroy(
          new RuntimeError('too-large', `HAProxy's answer to "${firstLine(command)}" does not end`),
        );
      else pieces.push(piece);
    })
    .on('close', () => {
      clear();
      const text = Buffer.concat(pieces).toString('utf8');
      const lost = /^(?:Can't find the target|Can't connect to the target)[^\n]*/.exec(text)?.[0];
      if (lost === undefined) resolve(text);
      else reject(new RuntimeError('gone', `HAProxy has no such process any more: ${lost}`));
    })
    .end(`${command}\n`);
  return promise;
}

/** The ids of a server's sessions in the answer to `show sess`. */
export function sessionsIn(text: string, server: string): string[] {
  return [...text.matchAll(/^(0x[\da-f]+): .*? srv=(\S+) /gm)]
    .filter(([, , name]) => name === server)
    .map(([, id]) => id!); // the pattern has it
}

/** The processes in the answer to `show proc`. @throws RuntimeError `unreadable` */
export function readProcesses(text: string): HaproxyProcess[] {
  const found = [...text.matchAll(/^(\d+)\s+(master|worker)\s+(\d+)(?: \[failed: (\d+)\])?\s/gm)];
  if (found.length === 0) throw unreadable('show proc', text);
  return found.map(([, pid, type, reloads, failed]) => ({
    pid: Number(pid),
    type: type === 'master' ? 'master' : 'worker',
    reloads: Number(reloads),
    failedReloads: Number(failed ?? 0),
  }));
}

/**
 * The rows of `show stat` by the names of their columns: comma-separated, the first line after `# ` has the
 * names, values with a comma, quote or line break are quoted (RFC 4180).
 * @throws RuntimeError `unreadable`
 */
export function readStat(text: string): Map<string, string>[] {
  const [names, ...rows] = readCsv(text.replace(/\n+$/, '\n'));
  if (!names?.[0]?.startsWith('# ')) throw unreadable('show stat', text);
  const columns = [names[0].slice(2), ...names.slice(1)];
  return rows.map((row) => {
    if (row.length !== columns.length) throw unreadable('show stat', row.join(','));
    return new Map(row.flatMap((value, i) => (columns[i] === '' ? [] : [[columns[i]!, value]])));
  });
}

/** Rows and their values. @throws RuntimeError `unreadable` where a quote does not end */
export function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const value = /(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\r?\n|$)/y;
  while (value.lastIndex < text.length) {
    const found = value.exec(text);
    if (!found) throw unreadable('show stat', text.slice(-200));
    const [, quoted, plain = '', end] = found;
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',' && value.lastIndex < text.length) continue;
    if (end === ',') row.push('');
    rows.push(row);
    row = [];
  }
  return rows;
}

/** The backend's servers in the answer to `show stat`. */
function serversIn(text: string): ServerStat[] {
  return readStat(text)
    .filter((row) => row.get('pxname') === backendName && row.get('svname') !== 'BACKEND')
    .map((row) => ({
      name: row.get('svname') ?? '',
      sessions: Number(row.get('scur')),
      status: row.get('status') ?? '',
      isSure:
        /^L[47]OK/.test(row.get('check_status') ?? '') || /^(?:DOWN$|MAINT)/.test(row.get('status') ?? ''),
    }));
}

function unreadable(command: string, text: string): RuntimeError {
  return new RuntimeError(
    'unreadable',
    `HAProxy's answer to "${command}" cannot be read: ${firstLine(text).slice(0, 200)}`,
  );
}
