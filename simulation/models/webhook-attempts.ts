// Makes one attempt after the other in virtual time: the server's thread sends it, its receiver does with it
// what the scenario says, and the answer takes the thread again. Whose turn it is and what an answer means,
// others decide.

import type { PatternOptions } from '../../core/pattern/registry.ts';
import type { ReceiverAnswer } from '../../core/policy/webhook/answer.ts';
import type { Task } from '../../core/policy/webhook/delivery.ts';
import type { Conduct, ConductOf } from '../../core/scenario/endpoint-conduct.ts';
import type { Events } from '../events/events.ts';
import type { Server } from './server.ts';
import type { Account } from './webhook-account.ts';
import type { Deliveries } from '../webhooks/deliveries.ts';
import { placeOf } from '../webhooks/pages.ts';
import type { Published } from '../webhooks/published.ts';
import { answerBytes, laterBytes } from './webhook-wire.ts';

export type AttemptsOptions = {
  events: Events;
  /** On the clock of `events`; the measured phase begins then. */
  originUs: number;
  thread: Server;
  account: Account;
  published: Published;
  deliveries: Deliveries;
  conduct: ConductOf;
  options: Pick<PatternOptions<'webhook'>, 'timeout' | 'headersTimeout'>;
  /** The place of a receiver of a topic among all pairs of the two. */
  slotOf(topic: number, receiver: number): number;
  ended(task: Task, answer: ReceiverAnswer, nowUs: number): void;
};

/** How an attempt ends. @param atUs when its answer, or that there is none, reaches the server */
type End = { atUs: number; answer: ReceiverAnswer };

const cut: ReceiverAnswer = { kind: 'failed', reason: 'reset', timedOut: false };
const late: ReceiverAnswer = { kind: 'failed', reason: 'timed out', timedOut: true };

/** @returns begins an attempt */
export function createAttempts(given: AttemptsOptions): (task: Task, nowUs: number) => void {
  const { events, originUs, thread, account, published, deliveries, conduct, options } = given;
  const { timeout, headersTimeout } = options;
  const limitUs = 1000 * (headersTimeout === 'timeout' ? timeout : Math.min(timeout, headersTimeout));
  const answers = new Map<number, ReceiverAnswer>();
  /** Attempts under way, in places that are used again. */
  const tasks: (Task | undefined)[] = [];
  const ends: ReceiverAnswer[] = [];
  const restUs: number[] = [];
  const free: number[] = [];

  const over = events.handler((flight, nowUs) => {
    const task = tasks[flight]!; // it is over once
    tasks[flight] = undefined;
    free.push(flight);
    given.ended(task, ends[flight]!, nowUs);
  });
  const answered = events.handler((flight, nowUs) => {
    const workUs = restUs[flight]!;
    events.at(Math.ceil(thread.serve(nowUs, workUs) + workUs), over, flight);
  });

  function answerOf(status: number): ReceiverAnswer {
    let answer = answers.get(status);
    if (!answer) answers.set(status, (answer = { kind: 'answered', status }));
    return answer;
  }

  /** What the receiver does. @param usualUs it takes until its answer is there */
  function endOf(does: Conduct | undefined, sentUs: number, arrivedUs: number, usualUs: number): End {
    const untilUs = Math.max(arrivedUs, sentUs + limitUs);
    const soonUs = arrivedUs + usualUs;
    switch (does?.does) {
      case 'hang':
        return { atUs: untilUs, answer: late };
      case 'reset':
        return { atUs: soonUs, answer: cut };
      case 'lose-answer':
        account.lost(arrivedUs - originUs);
        return { atUs: soonUs, answer: cut };
      case 'fail':
        return { atUs: soonUs, answer: answerOf(does.status) };
      default: {
        const byUs = does ? does.by * 1000 : 0;
        if (soonUs + byUs <= untilUs) return { atUs: soonUs + byUs, answer: answerOf(204) };
        account.lost(soonUs + byUs - originUs);
        return { atUs: untilUs, answer: late };
      }
    }
  }

  return (task, nowUs) => {
    const event = deliveries.eventOf(task.id);
    const page = published.pages.page(event);
    const place = placeOf(event);
    const attempt = task.attempts + 1;
    const cpuUs = page.cpuUs[place]!;
    const sendUs = attempt === 1 ? firstSendUs(page, place) : cpuUs / 2;
    const sentUs = thread.serve(nowUs, sendUs);
    const arrivedUs = sentUs + sendUs;
    const atUs = arrivedUs - originUs;
    account.requested(atUs, attempt === 1, page.requestBytes[place]! + laterBytes(attempt), cpuUs);
    const does = conduct.choose(task.endpoint, atUs);
    const acts = !does || does.does === 'slow' || does.does === 'lose-answer';
    if (acts && atUs <= account.endUs) {
      const plannedUs = page.plannedUs[place]!;
      const isFirst = deliveries.receive(task.id);
      if (isFirst) published.receive(event, atUs - plannedUs);
      const topic = page.topic[place]!;
      const slot = given.slotOf(topic, task.id - page.firstId[place]!);
      account.received({ atUs, plannedUs, attempt, slot, seq: page.seq[place]!, isFirst });
    }
    const end = endOf(does, sentUs, arrivedUs, cpuUs);
    if (end.answer.kind === 'answered') account.answered(end.atUs - originUs, answerBytes(end.answer.status));
    const flight = free.pop() ?? tasks.length;
    tasks[flight] = task;
    ends[flight] = end.answer;
    restUs[flight] = Math.max(0, cpuUs - sendUs);
    events.at(Math.ceil(end.atUs), restUs[flight] > 0 ? answered : over, flight);
  };
}

type PublishedPage = ReturnType<Published['pages']['page']>;

/** How long a first attempt takes the thread until its receiver has it, by its place among the event's. */
function firstSendUs(page: PublishedPage, place: number): number {
  const k = page.begun[place]!++;
  if (k === 0) return page.cpuUs[place]! / 2;
  return k <= (page.receivers[place]! - 1) >> 1 ? page.beforeUs[place]! : page.behindUs[place]!;
}
