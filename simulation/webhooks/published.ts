// Holds the events of a simulation of webhooks whose deliveries are not all settled: when each was planned,
// how much it costs the server, and when its receivers had it.

import type { Message } from '../../core/policy/webhook/delivery.ts';
import { createPages, pageSize, placeOf, type Pages } from './pages.ts';

type Page = {
  plannedUs: Float64Array;
  /** Its deliveries are those from this number on, one for each receiver. */
  firstId: Uint32Array;
  topic: Uint32Array;
  /** Its number in its topic, from 1. */
  seq: Uint32Array;
  /** Of its text, and of a request that carries it at the first attempt. */
  bodyBytes: Uint32Array;
  requestBytes: Uint32Array;
  receivers: Uint32Array;
  /** Deliveries not settled, deliveries begun, and receivers that have it. */
  left: Uint32Array;
  begun: Uint32Array;
  received: Uint32Array;
  /** Until its first, median and last receiver had it; to a ten-millionth. */
  firstUs: Float32Array;
  medianUs: Float32Array;
  lastUs: Float32Array;
  /** A first attempt takes the server's thread so long, up to the median receiver's and behind it. */
  beforeUs: Float32Array;
  behindUs: Float32Array;
  /** Of the server's CPU, an attempt. */
  cpuUs: Float32Array;
};

export type Planned = {
  plannedUs: number;
  topic: number;
  seq: number;
  bodyBytes: number;
  requestBytes: number;
  receivers: number;
  beforeUs: number;
  behindUs: number;
  cpuUs: number;
};

export type Published = {
  pages: Pages<Page>;
  add(event: Planned): number;
  setFirstId(event: number, id: number): void;
  messageOf(event: number): Message;
  plannedUs(event: number): number;
  /** A receiver has it for the first time, `us` after it was planned. */
  receive(event: number, us: number): void;
};

const newPage = (): Page => {
  const whole = () => new Uint32Array(pageSize);
  const us = () => new Float32Array(pageSize);
  return {
    plannedUs: new Float64Array(pageSize),
    firstId: whole(),
    topic: whole(),
    seq: whole(),
    bodyBytes: whole(),
    requestBytes: whole(),
    receivers: whole(),
    left: whole(),
    begun: whole(),
    received: whole(),
    firstUs: us(),
    medianUs: us(),
    lastUs: us(),
    beforeUs: us(),
    behindUs: us(),
    cpuUs: us(),
  };
};

/** Sizes that are told apart. */
const mostMessages = 1000;

export function createPublished(): Published {
  const pages = createPages(newPage);
  /** A dispatch asks for no more of an event than its size. */
  const messages = new Map<number, Message>();

  return {
    pages,
    add(given) {
      const event = pages.take(1);
      const page = pages.page(event);
      const place = placeOf(event);
      page.plannedUs[place] = given.plannedUs;
      page.topic[place] = given.topic;
      page.seq[place] = given.seq;
      page.bodyBytes[place] = given.bodyBytes;
      page.requestBytes[place] = given.requestBytes;
      page.receivers[place] = given.receivers;
      page.beforeUs[place] = given.beforeUs;
      page.behindUs[place] = given.behindUs;
      page.cpuUs[place] = given.cpuUs;
      page.left[place] = given.receivers;
      page.begun[place] = 0;
      page.received[place] = 0;
      return event;
    },
    plannedUs: (event) => pages.page(event).plannedUs[placeOf(event)]!,
    setFirstId: (event, id) => void (pages.page(event).firstId[placeOf(event)] = id),
    messageOf(event) {
      const bodyBytes = pages.page(event).bodyBytes[placeOf(event)]!;
      let message = messages.get(bodyBytes);
      if (!message) {
        if (messages.size >= mostMessages) messages.clear();
        messages.set(bodyBytes, (message = { id: '', topic: '', body: '', bodyBytes }));
      }
      return message;
    },
    receive(event, us) {
      const page = pages.page(event);
      const place = placeOf(event);
      const count = ++page.received[place]!;
      if (count === 1) page.firstUs[place] = us;
      if (count === Math.ceil(page.receivers[place]! / 2)) page.medianUs[place] = us;
      page.lastUs[place] = us;
    },
  };
}
