// Registers subscribers with the server and takes the registrations back: a few connections, each with one
// request under way, over which all of them go in the order they came.

import { newComeback, noteRetryAfter, type Comeback } from '../../core/policy/reconnect.ts';
import { comeBackLater } from '../subscribers/comeback.ts';
import { createHttpClients, type Client } from '../wire/http-client.ts';
import type { ResponseHead } from '../wire/http-head.ts';
import type { LoadContext } from '../pattern.ts';

export type Registration = { subscriber: number; url: string; events: readonly string[]; secret: string };

export type Registrar = {
  /** Registers, and again after a wait until it is done or gives up; calls `done` when it is done. */
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
type Task = RegisterTask | { kind: 'remove'; id: string };

type Lane = { client: Client<Lane>; task: Task | undefined };

export function createRegistrar(context: LoadContext): Registrar {
  const { counters, sink } = context;
  const url = new URL(context.endpoint.url);
  const path = `${url.pathname.replace(/\/$/, '')}/webhooks`;
  const clients = createHttpClients<Lane>(context, { response, failed });
  const lanes = Array.from({ length: laneCount }, () => {
    const lane = { task: undefined } as Lane; // the client needs its owner first
    lane.client = clients.add(lane, 0);
    return lane;
  });
  let tasks: Task[] = [];
  /** Each ends the wait of a registration that failed. */
  const resting = new Set<() => void>();
  const ids: string[] = [];
  let drained: (() => void) | undefined;

  function pump(): void {
    for (const lane of lanes) {
      if (lane.task) continue;
      const task = tasks.shift();
      if (!task) break;
      lane.task = task;
      clients.send(lane.client, encode(task));
    }
    if (lanes.every(({ task }) => !task)) drained?.();
  }

  function encode(task: Task): Buffer {
    if (task.kind === 'remove')
      return Buffer.from(`DELETE ${path}/${task.id} HTTP/1.1\r\nhost: ${url.host}\r\n\r\n`);
    const { url: receiver, events, secret } = task.registration;
    const body = JSON.stringify({ url: receiver, events, secret });
    return Buffer.from(
      `POST ${path} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: application/json\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }

  function response(
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
      if (id === undefined) refused(task, status, headers);
      else registered(task, id, atUs);
    }
    pump();
  }

  function registered(task: RegisterTask, id: string, atUs: number): void {
    counters.registrations++;
    ids.push(id);
    if (drained) tasks.push({ kind: 'remove', id });
    else task.done(atUs);
  }

  function refused(task: RegisterTask, status: number, headers: ResponseHead['headers']): void {
    if (status === 503) counters.refusals++;
    else
      sink.problem(
        'registration-failed',
        status === 201
          ? 'a registration was answered without an id'
          : `a registration was answered with status ${status}`,
      );
    noteRetryAfter(task, headers.get('retry-after'), Date.now());
    rest(task);
  }

  function failed(lane: Lane): void {
    const task = take(lane);
    if (task?.kind === 'register') rest(task);
    pump();
  }

  function take(lane: Lane): Task | undefined {
    const { task } = lane;
    lane.task = undefined;
    return task;
  }

  /** Until the task's turn comes again. */
  function rest(task: RegisterTask): void {
    if (drained) return;
    const stopWaiting = comeBackLater(context, task, () => {
      if (stopWaiting) resting.delete(stopWaiting);
      tasks.push(task);
      pump();
    });
    if (stopWaiting) resting.add(stopWaiting);
  }

  return {
    register(registration, done) {
      tasks.push({ kind: 'register', registration, done, ...newComeback() });
      pump();
    },
    async close(graceMs) {
      const over = Promise.withResolvers<void>();
      drained = over.resolve;
      for (const stopWaiting of resting) stopWaiting();
      tasks = ids.map((id) => ({ kind: 'remove', id }));
      // The second half is for the answers, so that both sides have counted the same when the connections go.
      const stop = setTimeout(() => (tasks = []), graceMs / 2);
      const limit = setTimeout(over.resolve, graceMs);
      pump();
      await over.promise;
      clearTimeout(stop);
      clearTimeout(limit);
      for (const { client } of lanes) clients.drop(client);
    },
  };
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
