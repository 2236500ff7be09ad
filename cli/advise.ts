// Implements `pushbench advise`: which pattern for what somebody needs, from flags or asked for on a
// terminal, with figures of results at hand and the command that measures it.

import { existsSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { advise } from '../core/advice/advise.ts';
import { measuring } from '../core/advice/command.ts';
import { deliveriesPerS, pollEveryMs, type Needs } from '../core/advice/needs.ts';
import { exitCodes, messageOf, UserError, type ExitCode } from '../core/base/errors.ts';
import { printableJson } from '../core/base/printable.ts';
import { formatNumber, parseSizeBytes } from '../core/base/units.ts';
import { mostOnOneServer, type Question } from '../core/capacity/question.ts';
import type { Profile } from '../core/profile/profile.ts';
import { loadData } from '../reports/export/summary.ts';
import { resultFiles } from '../reports/read/read-many.ts';
import { readResult } from '../reports/read/read.ts';
import { distanceOf, nearestLoad } from '../reports/summary/nearest-load.ts';
import { renderAdvice, type Nearest, type SimulatedLoads } from '../reports/text/advice.ts';
import { loadsFor } from '../simulation/capacity/plan-capacity.ts';
import { hasNeeds, needsOf, type NeedFlags } from './advise-flags.ts';
import { capacityContext } from './capacity.ts';
import { complain } from './print.ts';
import { openProfile } from '../api/profiles.ts';
import { quoted } from '../core/base/quoted.ts';
import { terminalOf } from './terminal.ts';

export type AdviseFlags = NeedFlags & { results: string; profile?: string; json: boolean };

/** Results are large; of a folder the newest are looked at. */
const newestLookedAt = 40;

/** @param paths results to take figures from, in the place of the results folder */
export async function adviseCommand(
  paths: readonly string[],
  { results: folder, profile: profileFile, json, invocation, ...flags }: AdviseFlags & { invocation: string },
): Promise<ExitCode> {
  const named = profileFile === undefined ? undefined : openProfile(profileFile);
  const asked = hasNeeds(flags) ? flags : await askedFor(flags);
  const { needs, assumed, payload } = needsOf(asked);
  const advice = advise(needs);
  const { args, notes: notesOnRun } = measuring(needs, payload);
  const command = [invocation, ...args].map(quoted).join(' ');
  const pattern = advice.ranked[0]?.pattern;
  const { nearest, looked } =
    pattern === undefined
      ? { nearest: undefined, looked: 'nothing to look for.' }
      : await nearestAt(paths, folder, needs, pattern);
  // Who names a profile wants to see what it says, whatever was measured.
  const asksProfile = pattern !== undefined && (named !== undefined || !nearest);
  const why = asksProfile ? whyNotSimulated(needs) : undefined;
  const profile = asksProfile && why === undefined ? (named ?? shippedProfile()) : undefined;
  const simulated = profile && simulatedAt(profile, needs, payload);
  const notes = [...(why === undefined ? [] : [why]), ...notesOnRun];
  if (json) {
    const measured = nearest && { ...nearest, load: loadData(nearest.load) };
    const answer = {
      needs,
      assumed,
      pattern: pattern ?? null,
      ...advice,
      nearest: measured ?? null,
      simulated: simulated ?? null,
    };
    process.stdout.write(`${printableJson({ ...answer, command, notes }, 1)}\n`);
    return exitCodes.ok;
  }
  const parts = { needs, assumed, advice, nearest, looked, simulated, command, notes };
  process.stdout.write(renderAdvice(parts, terminalOf()));
  return exitCodes.ok;
}

/** Asks on a terminal; elsewhere nobody is there to be asked. */
async function askedFor(flags: NeedFlags): Promise<NeedFlags> {
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw new UserError(
      'advise',
      'advise does not know what you need: say it with flags, --clients and --every at least, such as ' +
        'advise --clients 3000 --every 2s. On a terminal it asks.',
    );
  const { ask } = await import('./advise-dialogue.ts');
  return ask(flags);
}

async function nearestAt(
  paths: readonly string[],
  folder: string,
  needs: Needs,
  pattern: string,
): Promise<{ nearest: Nearest | undefined; looked: string }> {
  if (paths.length === 0 && !existsSync(folder))
    return { nearest: undefined, looked: `there are no results yet (no folder ${folder}).` };
  const files = (await Promise.all((paths.length > 0 ? paths : [folder]).map(resultFiles))).flat();
  const wanted = { subscribers: needs.clients, deliveriesPerS: deliveriesPerS(needs) };
  // What was measured goes before what was simulated, however near.
  let [nearest, ofSimulation]: (Nearest | undefined)[] = [];
  // Folders are named by the time of their run, so the newest are the last.
  for (const file of paths.length > 0 ? files : files.slice(-newestLookedAt)) {
    try {
      const result = await readResult(file);
      const load = nearestLoad(result, wanted, pattern);
      if (!load) continue;
      const path = relative('', dirname(file)) || '.';
      const found: Nearest = { ...load, path, scenario: result.scenario.name };
      if (result.simulated)
        ofSimulation = nearer({ ...found, simulatedFrom: result.simulated.profile.name }, ofSimulation);
      else nearest = nearer(found, nearest);
    } catch (error) {
      // A result that was named has to be one; of a folder the others are enough.
      if (paths.length > 0 || !(error instanceof UserError)) throw error;
      complain(`left out: ${messageOf(error)}`);
    }
  }
  return {
    nearest: nearest ?? ofSimulation,
    looked: `no result at hand has a latency of ${pattern} (looked at: ${files.length} in ${
      paths.length > 0 ? 'what was named' : folder
    }).`,
  };
}

/** Of two that are as near the first, which is the newer one. */
function nearer(found: Nearest, best: Nearest | undefined): Nearest {
  return !best || distanceOf(found) <= distanceOf(best) ? found : best;
}

const usualPayloadBytes = 256;

function whyNotSimulated({ clients, bothWays }: Needs): string | undefined {
  if (bothWays) return 'Nothing is simulated: no model has clients that send.';
  if (clients > mostOnOneServer)
    return (
      `Nothing is simulated: a single server gets at most ${formatNumber(mostOnOneServer)} clients. ` +
      'pushbench plan says how many servers more clients need.'
    );
  return undefined;
}

/** One server of each pattern. */
function simulatedAt(profile: Profile, needs: Needs, payload: string | undefined): SimulatedLoads {
  const question: Question = {
    subscribers: needs.clients,
    eventsPerS: 1000 / needs.everyMs,
    topics: needs.shared ? 'shared' : 'private',
    payloadBytes: (payload === undefined ? undefined : parseSizeBytes(payload)) ?? usualPayloadBytes,
    latencyP99Us: (needs.withinMs ?? needs.everyMs) * 1000,
    pollEveryMs: pollEveryMs(needs),
    descriptors: Infinity,
    memoryBytes: Infinity,
  };
  const rows = loadsFor(question, capacityContext(profile)).map(({ label, load }) => ({
    label,
    // A server that is full has no latency.
    latencyP50Us: Number.isFinite(load.latencyP50Us) ? load.latencyP50Us : null,
    latencyP99Us: Number.isFinite(load.latencyP99Us) ? load.latencyP99Us : null,
    cpuShare: load.cpuShare,
    expectedError: load.rests.expectedError,
    extrapolated: load.rests.extrapolated,
    leavesOut: load.rests.leavesOut,
  }));
  return { profile: profile.name, rows };
}

/** Nobody asked for a profile, so that none, or several, is not a mistake. */
function shippedProfile(): Profile | undefined {
  try {
    return openProfile(undefined);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
