// Holds what the publisher of a target knows while it publishes a plan.

import { redact } from '../../core/secrets/redact.ts';
import type { TargetAccess } from '../../core/target/access.ts';
import { topicCount } from '../../core/scenario/topics.ts';
import type { Body } from '../publisher/body-stock.ts';
import type { PublisherSetup } from '../publisher/contract.ts';
import { newPublishing, type Publishing } from '../publisher/publishing.ts';
import type { Client, HttpClients } from '../wire/http-client.ts';
import { createPublishRequests, type PublishRequests } from './publish-request.ts';

/** One connection and the topics that use it. */
export type Lane = { client: Client<Lane>; waiting: number[]; head: number; current: number };

export type State = Publishing & {
  readonly secrets: TargetAccess['secrets'];
  readonly requests: PublishRequests;
  /** The bodies of events that wait for their lane. */
  readonly bodyOf: Map<number, Body>;
  /** The last number given on each topic. */
  readonly numbers: Int32Array;
  /** Once the connections' code has been loaded. */
  clients: HttpClients<Lane> | undefined;
  lanes: Lane[];
  answered: number;
  /** Events that wait for their lane, and the bytes of their bodies. */
  waiting: number;
  waitingBytes: number;
};

/** @param step the pacer's */
export function newState(setup: PublisherSetup & { target: TargetAccess }, step: () => number): State {
  const { topics, target } = setup;
  const publishing = newPublishing(setup, step);
  return {
    ...publishing,
    problem: (code, message) => publishing.problem(code, redact(message, target.secrets)),
    secrets: target.secrets,
    requests: createPublishRequests(target),
    bodyOf: new Map(),
    numbers: new Int32Array(topicCount(topics)),
    clients: undefined,
    lanes: [],
    answered: 0,
    waiting: 0,
    waitingBytes: 0,
  };
}
