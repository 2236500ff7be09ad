// Puts a target in the place of a server process: a peer that starts nothing, reads the named process from
// /proc, and says what is missing. To the rest of a trial it looks like one of our servers.

import { randomBytes } from 'node:crypto';
import type { ServerCommand, ServerReport } from '../../core/protocol/control.ts';
import { newCounters } from '../../core/result/counters.ts';
import { redact, type Secret } from '../../core/secrets/redact.ts';
import type { TargetAccess } from '../../core/target/access.ts';
import type { Fleet, ServerPeer } from '../trial/fleet.ts';
import { createPeer, TrialFailure, type Peer } from '../process/peer.ts';
import { sumDescriptors, sumKnown } from '../process/probe.ts';
import { readCpu } from '../process/cpu.ts';
import { treeOf, useOf } from '../process/process-tree.ts';
import { problemReaching, type Host } from './reach.ts';

/** A target file, read, checked and filled in. */
export type PreparedTarget = {
  name: string;
  url: string;
  access: Omit<TargetAccess, 'run'>;
  hosts: Host[];
  /** The process to sample, where the file names one. */
  pid: number | undefined;
  /** For the user, about the file. */
  notes: string[];
};

const runLength = 10;

/** The fleet for trials against a target: its processes are ours but for the server. */
export function targetFleet(fleet: Fleet, target: PreparedTarget): Fleet {
  const {
    pid,
    access: { secrets },
  } = target;
  const tree = (root: number) => (root === pid ? treeOf(root) : [root]);
  const { probe, injection: _ours, ...rest } = fleet;
  return {
    ...rest,
    server: () => withoutSecrets(targetPeer(fleet, target), secrets),
    load: (index) => withoutSecrets(fleet.load(index), secrets),
    publisher: () => withoutSecrets(fleet.publisher(), secrets),
    async freeze(root, forMs, over) {
      const stopped = await Promise.all(tree(root).map((one) => fleet.freeze(one, forMs, over)));
      return stopped.length > 0 && stopped.every(Boolean);
    },
    probe: {
      ...probe,
      countDescriptors: (root) =>
        root === 0 ? undefined : sumKnown(tree(root).map((one) => probe.countDescriptors(one))),
      classifyDescriptors: (root) =>
        root === 0 ? undefined : sumDescriptors(tree(root).map((one) => probe.classifyDescriptors(one))),
      descriptorLimit: (root) => (root === 0 ? undefined : probe.descriptorLimit(root)),
      cpu: (root) => (root === pid ? readCpu(tree(root)) : root === 0 ? undefined : probe.cpu(root)),
    },
  };
}

/**
 * The peer, with secrets taken out of its errors: a process that fails prints the data it was working on. The
 * problems that it counts need no cleaning, as it took secrets out of them before it cut them to length.
 */
function withoutSecrets<Command extends { kind: string }, Report extends { kind: string }>(
  peer: Peer<Command, Report>,
  secrets: readonly Secret[],
): Peer<Command, Report> {
  const fail = (error: unknown): never => {
    if (!(error instanceof TrialFailure)) throw error;
    throw new TrialFailure(error.code, redact(error.message, secrets));
  };
  const broken = peer.broken.catch(fail);
  broken.catch(() => {}); // it is awaited only by those who wait for something
  return { ...peer, broken, next: (...asked) => peer.next(...asked).catch(fail) };
}

function targetPeer({ clock }: Fleet, { name, access, hosts, pid }: PreparedTarget): ServerPeer {
  return createPeer<ServerCommand, ServerReport>(`target ${name}`, (inbox) => {
    // Long enough that no other text holds it by chance, and of the letters that an event's id may have.
    const run = BigInt(`0x${randomBytes(8).toString('hex')}`)
      .toString(36)
      .padStart(runLength, '0')
      .slice(0, runLength);
    let use = { cpuUs: 0, rssBytes: 0 };
    const sample = () => {
      const tree = pid === undefined ? [] : treeOf(pid);
      // The last that was seen of a process that has ended, or whose threads are ending one by one,
      // stays: no CPU is given back.
      if (tree.length > 0) {
        const now = useOf(tree);
        use = { ...now, cpuUs: Math.max(use.cpuUs, now.cpuUs) };
      }
      const nothing = { heapUsedBytes: 0, loopDelayP99Us: 0, loopDelayMaxUs: 0, gcCount: 0, gcPauseUs: 0 };
      inbox.deliver({
        kind: 'sample',
        sample: { atUs: clock.nowUs(), ...use, ...nothing },
        counters: newCounters(),
        subscribers: 0,
        publishedEvents: 0,
        gone: pid !== undefined && tree.length === 0,
      });
    };
    const over = new AbortController();
    const start = async (pattern: string) => {
      const problems = await Promise.all(hosts.map((host) => problemReaching(host, access, over.signal)));
      if (over.signal.aborted) return;
      const first = problems.find((problem) => problem !== undefined);
      if (first !== undefined) {
        inbox.deliver({ kind: 'failed', code: 'target-unreachable', message: first });
        return;
      }
      const url = new URL(
        (access.subscribe[pattern as keyof typeof access.subscribe] ?? access.publish).url.replaceAll(
          /[{}]/g,
          '',
        ),
      ).origin;
      inbox.deliver({
        kind: 'listening',
        endpoint: { url, over: 'h1', publishUrl: url, target: { ...access, run } },
        readings: pid === undefined ? 'none' : 'outside',
      });
    };
    return {
      pid: pid ?? 0,
      send(command) {
        if (command.kind === 'start') void start(command.pattern);
        // Not at once: the caller begins to wait for the answer only after this call.
        else if (command.kind === 'sample') queueMicrotask(sample);
        else if (command.kind === 'stop') {
          over.abort();
          inbox.ended('asked to');
        }
        // `collect`: nobody else's garbage is ours to collect. `disconnect`: such scenarios do not come here.
      },
      kill() {},
    };
  });
}
