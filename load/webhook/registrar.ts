// Registers subscribers with the server and takes the registrations back: a few connections, each with one
// request under way, over which all of them go in the order they came.

import { newComeback, noteRetryAfter, type Comeback } from '../../core/policy/client/reconnect.ts';
import { comeBackLater } from '../subscribers/comeback.ts';
import { createEverywhere, type Everywhere } from './everywhere.ts';
import { urlsOf } from '../wire/connection.ts';
import { pathBelow } from '../wire/http-head.ts';
import { createHttpClients, type Client, type HttpClients } from '../wire/http-client.ts';
import type { ResponseHead } from '../wire/http-head.ts';
import type { LoadContext } from '../pattern.ts';

export type Registration = { subscriber: number; url: string; events: readonly string[]; secret: string };

export type Registrar = {
  /** Registers, and again after a wait until it is done or gives up; `done`: all servers know of it. */
  register(registration: Registration, done: (atUs: number) => void): void;
  /**
   * Takes the registrations back, as many as half of `graceMs` allows, and forgets those
   * that are still to be made.
   */
  close(graceMs: number): Promise<void>;
};

/** Connections, and so requests under way at once: registering is not what is measured. */
const laneCount = 32;

type RegisterTask = Comeback & {
  kind: 'register';
  registration: Registration;
  done: (atUs: number) => void;
};
/** `server`: the one that has it. */
type Registered = { id: string; server: number };
type Task = RegisterTask | ({ kind: 'remove' } & Registered);

type Lane = { client: Client<Lane>; task: Task | undefined };

/** What the registrar knows. */
type State = {
  readonly context: LoadContext;
  /** Where the servers are. */
  readonly urls: readonly URL[];
  /** The one to register with: the first of the list that answers. */
  server: number;
  readonly clients: HttpClients<Lane>;
  readonly everywhere: Everywhere;
  readonly lanes: readonly Lane[];
  /** Waiting for a lane, in order. */
  tasks: Task[];
  /** Each ends the wait of a registration that failed. */
  readonly resting: Set<() => void>;
  /** Of the endpoints that the server has taken. */
  readonly ids: Registered[];
  /** Set when registrations are being taken back; called when no request is under way. */
  drained: (() => void) | undefined;
};

export function createRegistrar(context: LoadContext): Registrar {
  const clients = createHttpClients<Lane>(context, {
    response: (lane, head, bytes, from, to, atUs) => takeAnswer(state, lane, head, bytes, from, to, atUs),
    failed: (lane) => takeFailure(state, lane),
  });
  const state: State = {
    context,
    urls: urlsOf(context.endpoint),
    server: 0,
    clients,
    everywhere: createEverywhere(context),
    lanes: Array.from({ length: laneCount }, () => {
      const lane = { task: undefined } as Lane; // the client needs its owner first
      lane.client = clients.add(lane, 0);
      return lane;
    }),
    tasks: [],
    resting: new Set(),
    ids: [],
    drained: undefined,
  };
  return {
    register(registration, done) {
      state.tasks.push({ kind: 'register', registration, done, ...newComeback() });
      pump(state);
    },
    close: (graceMs) => close(state, graceMs),
  };
}

/** Gives each free lane a task. */
function pump(state: State): void {
  for (const lane of state.lanes) {
    if (lane.task) continue;
    const task = state.tasks.shift();
    if (!task) break;
    lane.task = task;
    lane.client.server = task.kind === 'remove' ? task.server : state.server;
    state.clients.send(lane.client, encode(state.urls[lane.client.server]!, task)); // of this list
  }
  if (state.lanes.every(({ task }) => !task)) state.drained?.();
}

function encode(url: URL, task: Task): Buffer {
  const path = pathBelow(url, '/webhooks');
  if (task.kind === 'remove')
    return Buffer.from(`DELETE ${path}/${task.id} HTTP/1.1\r\nhost: ${url.host}\r\n\r\n`);
  const { url: receiver, events, secret } = task.registration;
  const body = JSON.stringify({ url: receiver, events, secret });
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function takeAnswer(
  state: State,
  lane: Lane,
  { status, headers }: ResponseHead,
  bytes: Buffer,
  from: number,
  to: number,
  atUs: number,
): void {
  const task = take(lane);
  if (task?.kind === 'register') {
    const id = status === 201 ? idIn(bytes.toString('utf8', from, to)) : undefined;
    if (status === 503) leaveServer(state, lane);
    if (id === undefined) refused(state, task, status, headers);
    else registered(state, task, { id, server: lane.client.server }, atUs);
  }
  pump(state);
}

function takeFailure(state: State, lane: Lane): void {
  const task = take(lane);
  if (task?.kind === 'register') {
    leaveServer(state, lane);
    rest(state, task);
  }
  pump(state);
}

/** Once for all requests that were under way with it. */
function leaveServer(state: State, { client }: Lane): void {
  if (client.server === state.server) state.server = (state.server + 1) % state.urls.length;
}

function take(lane: Lane): Task | undefined {
  const { task } = lane;
  lane.task = undefined;
  return task;
}

function registered(
  { context, ids, tasks, drained, everywhere }: State,
  task: RegisterTask,
  given: Registered,
  atUs: number,
): void {
  context.counters.registrations++;
  ids.push(given);
  if (drained) tasks.push({ kind: 'remove', ...given });
  else everywhere.add(given.server, task.done, atUs);
}

function refused(state: State, task: RegisterTask, status: number, headers: ResponseHead['headers']): void {
  const { counters, sink } = state.context;
  if (status === 503) counters.refusals++;
  else
    sink.problem(
      'registration-failed',
      status === 201
        ? 'a registration was answered without an id'
        : `a registration was answered with status ${status}`,
    );
  noteRetryAfter(task, headers.get('retry-after'), Date.now());
  rest(state, task);
}

/** Until the task's turn comes again. */
function rest(state: State, task: RegisterTask): void {
  if (state.drained) return;
  const stopWaiting = comeBackLater(state.context, task, () => {
    if (stopWaiting) state.resting.delete(stopWaiting);
    state.tasks.push(task);
    pump(state);
  });
  if (stopWaiting) state.resting.add(stopWaiting);
}

async function close(state: State, graceMs: number): Promise<void> {
  const over = Promise.withResolvers<void>();
  state.drained = over.resolve;
  state.everywhere.close();
  for (const stopWaiting of state.resting) stopWaiting();
  state.tasks = state.ids.map((given) => ({ kind: 'remove', ...given }));
  // The second half is for the answers, so that both sides have counted the same when the connections go.
  const stop = setTimeout(() => (state.tasks = []), graceMs / 2);
  const limit = setTimeout(over.resolve, graceMs);
  pump(state);
  await over.promise;
  clearTimeout(stop);
  clearTimeout(limit);
  for (const { client } of state.lanes) state.clients.drop(client);
}

/** The id in the answer to a registration. */
function idIn(text: string): string | undefined {
  try {
    const { id } = JSON.parse(text) as { id?: unknown };
    return typeof id === 'string' && /^[\w-]{1,64}$/.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}
