// Describes what a fault is: what each entry of the table in faults.ts has to say.

import type { z } from 'zod';
import type { DeployAsk } from '../policy/server/deploy-plan.ts';
import type { VoidingCode } from '../result/voids.ts';

/** What a process does in a trial. */
export type Role = 'server' | 'load' | 'publisher' | 'network';
/** Whose processes can be told to do something. */
export type ToldRole = Exclude<Role, 'publisher'>;

/** What processes are told to do, and answer with `acted`. */
export type Telling<R extends ToldRole, Command extends { kind: string }> = {
  do: 'tell';
  role: R;
  command: Command;
  /** One of the servers alone, by its number from 1. */
  server?: number | undefined;
};
/** Every process of a role stands still; the harness stops it from outside. */
export type Freezing = { do: 'freeze'; role: Role; forMs: number; server?: number | undefined };
/** Which servers: one by its number from 1, a share of the running ones (the first of them), or all. */
export type Which = number | 'all' | { share: number };
/** Processes of servers end, or begin. */
export type Living = { do: 'stop' | 'kill' | 'restart' | 'start'; servers: Which };
/** The broker's process stands still or goes, and comes back after a while; never where that is left out. */
export type BrokerAct = { do: 'broker'; how: 'restart' | 'freeze' | 'kill'; forMs: number | undefined };
/** All servers are replaced; core/policy/server/deploy-plan.ts says in which steps. */
export type Deploying = { do: 'deploy'; ask: DeployAsk };
/** What is in front of the servers is told something about one of them, or to reload. */
export type FrontAct = {
  do: 'in-front';
  how: 'drain' | 'ready' | 'shutdown' | 'reload';
  /** By its number from 1; undefined for a reload. */
  server: number | undefined;
};
/** One thing that happens in a fault, in every process of its role. */
export type Act = Telling<ToldRole, { kind: string }> | Freezing | Living | BrokerAct | FrontAct | Deploying;

/** What a fault explains in the figures of its trial: nothing of it is a failing of the system measured. */
export type Effects = {
  /** Why figures are not the server's, so that they are void. */
  invalid?: { code: VoidingCode; message: string };
  /** The publisher may send late, and not everything that was planned. */
  latePublisher?: true;
  /** Subscribers connect again. */
  reconnects?: true;
  /** Connections and requests fail, and are counted as errors. */
  failures?: true;
  /** What one side sent may never have reached the other. */
  losesBytes?: true;
  /** Share of the polls of the measured phase that nobody makes; `unknown` where nobody can say. */
  pollsLeftOut?: number | 'unknown';
};

/** What all faults of a scenario explain together. */
export type CombinedEffects = {
  invalid: { code: VoidingCode; message: string }[];
  latePublisher: boolean;
  reconnects: boolean;
  failures: boolean;
  losesBytes: boolean;
  pollsLeftOut: number | 'unknown';
};

type AnyFault = { kind: string; atMs: number };

/** An entry of the table: all that is particular to one fault. `F` is the fault as a scenario asks for it. */
export type FaultEntry<F extends AnyFault, A extends Act = Act> = {
  /** How a scenario writes it. */
  schema: z.ZodType<F>;
  /** Where it lasts: for how long (Infinity: to the end), and what it is called in the meantime. */
  lasts?: { what: string; ms(fault: F): number | undefined };
  /** Who does what. */
  acts(fault: F): A[];
  /** What is then said to have happened: a sentence without its full stop. */
  did(fault: F): string;
  /** @param measureMs length of the measured phase */
  effects(fault: F, measureMs: number): Effects;
  /**
   * Why a system that is not ours cannot be put to it.
   * @param process whether the target file names the system's process
   */
  notOnTarget(fault: F, process: boolean): string | undefined;
};

/** Checks an entry and keeps its exact types, of which the table makes the protocol's commands. */
export function defineFault<F extends AnyFault, const A extends Act>(entry: FaultEntry<F, A>) {
  return entry;
}
