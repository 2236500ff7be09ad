// Puts what subscribers go through in front of the servers of a trial: a list of all that they know, or a
// process that gives each connection to one of them.

import { UserError } from '../../core/base/errors.ts';
import type { Endpoint } from '../../core/protocol/control.ts';
import type { InFront } from '../../core/scenario/servers.ts';
import type { BesideProcess } from './beside.ts';

/** A server as what is in front of it knows it. */
export type BehindServer = {
  /** From 1. */
  number: number;
  /** `http://127.0.0.1:PORT`; one that a fault starts later has its port from the beginning. */
  url: string;
};

export type FrontSetup = {
  servers: readonly BehindServer[];
  /** What the servers speak. */
  over: Endpoint['over'];
};

/** What is in front, as a process of the trial; undefined where there is none. */
export type FrontProcess = BesideProcess & {
  readonly role: 'in-front';
  /** Resolves with where subscribers go, when it takes connections there. */
  start(): Promise<Pick<Endpoint, 'url' | 'urls'>>;
};

/** Of subscribers that know all servers: those that start later too, which refuse until then. */
export function listOf({ servers }: FrontSetup): Pick<Endpoint, 'url' | 'urls'> {
  const urls = servers.map(({ url }) => url);
  return { url: urls[0]!, urls }; // there is a server
}

/** It does not run before its `start`. */
export function createFront(kind: Exclude<InFront, 'list'>, _setup: FrontSetup): FrontProcess {
  throw new UserError('in-front', `this build of pushbench has no ${kind} to put in front of servers`);
}
