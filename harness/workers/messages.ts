// Defines what a coordinator and a worker tell one another, besides the commands and reports of the load
// process that they pass on as they are (core/protocol/control.ts).

import { z } from 'zod';
import type { LoadCommand, LoadReport } from '../../core/protocol/control.ts';
import type { ClockReading } from './clock-offset.ts';
import { keyFor, seal, unseal, type Secret } from './secret.ts';

/** What a worker says of itself when it has taken a place in a run. */
export type Hello = {
  /** Of pushbench: both ends must be the same build. */
  version: string;
  name: string;
  /** Which loopback it has: the machine, and on Linux the network namespace. */
  place: string;
  /** Hosts besides loopback that it may send load to. */
  allow: readonly string[];
  descriptorLimit: number | undefined;
  /** Of its network namespace. */
  ephemeralPorts: number | undefined;
  /** What the coordinator's messages are signed with besides the token, so that no old ones can be used. */
  nonce: string;
};

/** `life` counts the load processes of a run on this worker, from 1. */
export type ToWorker =
  /** Start a load process on the coordinator's clock. */
  | { kind: 'begin'; life: number; clock: ClockReading }
  | { kind: 'command'; life: number; command: LoadCommand }
  | { kind: 'kill'; life: number }
  /** Compare the clocks once more. */
  | { kind: 'clock'; life: number }
  /** The run is over. */
  | { kind: 'over' };

export type FromWorker =
  | { kind: 'hello'; hello: Hello }
  | { kind: 'began'; life: number; clock: ClockReading }
  | { kind: 'clock'; life: number; clock: ClockReading }
  | { kind: 'report'; life: number; report: LoadReport }
  | { kind: 'ended'; life: number; how: string }
  /** It ends in the middle of the run. */
  | { kind: 'leaving'; why: string };

const sealed = z.strictObject({ n: z.literal(0), body: z.string().max(10_000), mac: z.string() });
const offered = z.strictObject({
  run: z.string().regex(/^[\da-f]{16}$/),
  /** From 0. */
  seat: z.int().min(0),
});

/** A place in a run that a worker takes: the job of BullMQ that it works on as long as the run goes on. */
export type Offer = z.infer<typeof offered>;

const offerKey = ({ key }: Secret) => keyFor(key, 'offer');

export function sealOffer(secret: Secret, offer: Offer): unknown {
  return seal(offerKey(secret), 0, [offer]);
}

/** @returns undefined when it is not signed with this token */
export function openOffer(secret: Secret, data: unknown): Offer | undefined {
  const parsed = sealed.safeParse(data);
  if (!parsed.success) return undefined;
  return offered.safeParse(unseal(offerKey(secret), parsed.data)?.[0]).data;
}

/** The keys of a place: what the coordinator signs with follows from the worker's nonce, too. */
export function keysOf({ key }: Secret, { run, seat }: Offer) {
  const own = keyFor(key, 'seat', run, String(seat));
  return { fromWorker: keyFor(own, 'from'), toWorker: (nonce: string) => keyFor(own, 'to', nonce) };
}
