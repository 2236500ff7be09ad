// Opens what `pushbench ab` can compare: two variants, two versions of the user's app, two checkouts of
// pushbench (the server comes from there, the load side stays ours), two commands that start a server, two
// targets. An arm is opened before the first trial.

import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ServerCommand, ServerReport } from '../../core/protocol/control.ts';
import { UserError } from '../../core/base/errors.ts';
import { endsOrBegins } from '../../core/fault/standing.ts';
import { writeInjection, type Injection } from '../../core/scenario/injection.ts';
import type { PatternRegistry } from '../../core/pattern/pattern.ts';
import { fullName, type Variant } from '../../core/pattern/variant.ts';
import { redact } from '../../core/secrets/redact.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { isCluster } from '../../core/scenario/servers.ts';
import { listNames, nearest } from '../../core/base/suggest.ts';
import type { Arm } from './ab.ts';
import { commandFleet } from '../target/command-server.ts';
import { commitOf } from '../run/environment.ts';
import { processes } from '../trial/fleet.ts';
import { forkPeer } from '../process/peer.ts';
import { targetFleet, type PreparedTarget } from '../target/target-peer.ts';
import { withTargets } from '../target/variants.ts';

export type ArmOptions = {
  registry: PatternRegistry;
  /** Of the arm's servers. */
  injection: Injection | undefined;
  openTarget(file: string): PreparedTarget;
  /** The target file that says how to speak to the server that a command starts. */
  targetFile: string | undefined;
  /** Starts the user's app in a `ref:` or `dir:`; without it these are checkouts of pushbench. */
  start?: string;
  /** Where the commit that a `ref:` names has been checked out. */
  checkedOut?: { folder: string; commit?: string };
};

/** An arm, and the systems it runs against. `variants` is the scenario's own where it brings none. */
export type OpenedArm = Arm & { kind: 'variant' | 'all'; targets: readonly PreparedTarget[] };

/** Of a commit's name. */
const shownDigits = 10;

const forms =
  'a variant of the scenario, ref:COMMIT or dir:FOLDER (your app: with --start "COMMAND" and --target ' +
  'FILE), cmd:"COMMAND" with --target FILE, or target:FILE';

/** The commit that an arm names, which has to be checked out before the arm can be opened. */
export function refOf(text: string): string | undefined {
  return /^ref:(.+)$/s.exec(text)?.[1];
}

/**
 * @param text as given on the command line
 * @throws UserError when there is nothing of that name
 */
export function openArm(text: string, scenario: Scenario, options: ArmOptions): OpenedArm {
  const [, kind, rest = ''] = /^(ref|dir|cmd|target):(.*)$/s.exec(text) ?? [];
  if (kind !== undefined && rest === '')
    throw new UserError('arm', `"${text}" names nothing after the colon. An arm is ${forms}.`);
  const { injection, start } = options;
  const isApp = start !== undefined && (kind === 'ref' || kind === 'dir');
  if (injection && (isApp || kind === 'cmd' || kind === 'target'))
    throw new UserError(
      'inject',
      `Nothing can be injected into ${text}: it is not our server. --inject-a and --inject-b are for ` +
        'variants, and for ref: and dir: of pushbench itself.',
    );
  const ours = injection ? { ...processes, injection } : processes;
  const name = injection ? `${text} with ${writeInjection(injection)}` : text;
  switch (kind) {
    case 'ref':
      if (options.checkedOut === undefined)
        throw new Error(`${text} was not checked out before it was opened`);
      return isApp
        ? appArm(text, options.checkedOut, start, scenario, options)
        : checkoutArm(name, options.checkedOut.folder, scenario, ours);
    case 'dir':
      return isApp
        ? appArm(text, { folder: existingFolder(resolve(rest)) }, start, scenario, options)
        : checkoutArm(name, resolve(rest), scenario, ours);
    case 'target':
      return targetArm(name, options.openTarget(rest), scenario, options, (target) =>
        targetFleet(processes, target),
      );
    case 'cmd':
      if (options.targetFile === undefined)
        throw new UserError(
          'arm',
          `${text} starts a server, and nothing says how to speak to it: ` +
            'give a target file too, with --target FILE.',
        );
      return targetArm(name, options.openTarget(options.targetFile), scenario, options, (target) =>
        commandFleet(processes, target, rest),
      );
    default:
      return { kind: 'variant', name, variants: [variantIn(text, scenario)], fleet: ours, targets: [] };
  }
}

/**
 * Gives both arms the same variants: where one arm names its variants and the other has all, both take the
 * named ones.
 * @throws UserError when they cannot be paired
 */
export function pairedArms(a: OpenedArm, b: OpenedArm): [OpenedArm, OpenedArm] {
  const base = (variant: Variant) =>
    variant.target === undefined ? variant.label : variant.label.slice(0, -` @${variant.target}`.length);
  const like = (arm: OpenedArm, other: OpenedArm): OpenedArm => {
    const variants = other.variants.flatMap(
      (wanted) => arm.variants.find((own) => base(own) === base(wanted)) ?? [],
    );
    return { ...arm, variants };
  };
  if (a.kind === 'variant' && b.kind === 'variant') return [a, b];
  const [left, right] = [like(a, b), b.kind === 'all' ? like(b, a) : b];
  if (left.variants.length === 0 || left.variants.length !== right.variants.length)
    throw new UserError(
      'arms',
      `${a.name} and ${b.name} have no variant in common: ${listNames(a.variants.map(base))} on one ` +
        `side, ${listNames(b.variants.map(base))} on the other.`,
    );
  return [left, right];
}

function variantIn(text: string, { name, variants }: Scenario): Variant {
  const exact = variants.find(({ label, as }) => label === text || as === text);
  const byPattern = variants.filter(({ pattern }) => pattern === text);
  const found = exact ?? (byPattern.length === 1 ? byPattern[0] : undefined);
  if (found) return found;
  const labels = variants.map(({ label }) => label);
  if (byPattern.length > 1)
    throw new UserError(
      'arm',
      `"${text}" is ${byPattern.length} variants of ${name}: ` +
        `${listNames(byPattern.map(fullName))}. Name one of them.`,
    );
  const near = nearest(text, [...labels, ...variants.flatMap(({ as }) => as ?? [])]);
  throw new UserError(
    'arm',
    `${name} has no variant "${text}"; ` +
      (near ? `did you mean "${near}"?` : `there are: ${listNames(variants.map(fullName))}.`) +
      ` An arm is ${forms}.`,
  );
}

function targetArm(
  name: string,
  target: PreparedTarget,
  scenario: Scenario,
  { registry }: ArmOptions,
  fleetOf: (target: PreparedTarget) => Arm['fleet'],
): OpenedArm {
  const { variants } = withTargets(scenario, registry, [target], false).scenario;
  // A command may hold secrets of the environment.
  const shown = redact(name, target.access.secrets);
  return { kind: 'all', name: shown, variants, fleet: fleetOf(target), targets: [target] };
}

/** The user's app in a folder, started there. */
export function appArm(
  name: string,
  { folder, commit }: { folder: string; commit?: string },
  start: string,
  scenario: Scenario,
  options: ArmOptions,
): OpenedArm {
  if (options.targetFile === undefined)
    throw new UserError(
      'arm',
      `${name} is a version of your app, and nothing says how to speak to it: give a target file too, with ` +
        '--target FILE.',
    );
  const arm = targetArm(name, options.openTarget(options.targetFile), scenario, options, (target) =>
    commandFleet(processes, target, start, folder),
  );
  return { ...arm, commit: commit?.slice(0, shownDigits) ?? commitOf(join(folder, 'package.json')) };
}

function existingFolder(folder: string): string {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return folder;
  throw new UserError('arm', `There is no folder ${folder} to start your app in.`);
}

function checkoutArm(
  name: string,
  folder: string,
  { variants, servers, faults }: Scenario,
  fleet: Arm['fleet'],
): OpenedArm {
  const entry = ['servers/process.ts', 'dist/servers/process.js']
    .map((path) => join(folder, path))
    .find((path) => existsSync(path));
  if (entry === undefined)
    throw new UserError(
      'arm',
      `${folder} is not a checkout of pushbench: it has neither servers/process.ts nor ` +
        'dist/servers/process.js.',
    );
  if (!existsSync(join(folder, 'node_modules')))
    throw new UserError(
      'arm',
      `${folder} has no node_modules: install there what its package-lock.json names, with npm ci.`,
    );
  if (
    fleet.injection &&
    !existsSync(join(folder, 'servers/inject.ts')) &&
    !existsSync(join(folder, 'dist/servers/inject.js'))
  ) {
    throw new UserError(
      'inject',
      `The servers in ${folder} cannot be made worse on purpose: they are from before --inject.`,
    );
  }
  if (
    (isCluster(servers) || faults.some(endsOrBegins)) &&
    !existsSync(join(folder, 'servers/brokers')) &&
    !existsSync(join(folder, 'dist/servers/brokers'))
  ) {
    throw new UserError(
      'arm',
      `The servers in ${folder} know no broker and keep no port: they are from before scenarios with ` +
        'several servers, or with servers that come back.',
    );
  }
  const server = (index = 0) =>
    forkPeer<ServerCommand, ServerReport>(
      index === 0 ? 'server' : `server ${index + 1}`,
      pathToFileURL(entry),
    );
  return {
    kind: 'all',
    name,
    variants,
    fleet: { ...fleet, server },
    commit: commitOf(resolve(folder, 'package.json')),
    targets: [],
  };
}
