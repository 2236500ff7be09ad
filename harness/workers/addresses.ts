// Decides where a worker sends load: to loopback, and to hosts that its own user named. Names the loopback
// that a process has, so that a run knows which workers share it.

import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { hostOf, isLoopbackHost } from '../../core/http/access.ts';
import type { Endpoint } from '../../core/protocol/control.ts';
import type { TargetAccess } from '../../core/target/access.ts';
import { systemFiles, type SystemFiles } from '../process/system-files.ts';

/** Every host that a load process speaks to at this endpoint; text that is no URL stands for itself. */
export function hostsOf({ url, urls = [], publishUrl, publishUrls = [], target }: Endpoint): string[] {
  const own = [url, publishUrl, ...urls, ...publishUrls];
  return [...new Set([...own, ...(target ? urlsOfTarget(target) : [])].map(hostIn))];
}

/** The hosts of a system that is not ours. */
export function hostsOfTarget(target: Pick<TargetAccess, 'publish' | 'subscribe'>): string[] {
  return [...new Set(urlsOfTarget(target).map(hostIn))];
}

function urlsOfTarget({ publish, subscribe }: Pick<TargetAccess, 'publish' | 'subscribe'>): string[] {
  return [publish.url, ...Object.values(subscribe).map(({ url }) => url)];
}

/** In the form that `--allow` has, so that the two can be compared. */
function hostIn(url: string): string {
  return hostOf(URL.parse(url)?.host ?? '') ?? url;
}

/** Whether load may go there. @param allow hosts as `hostOf` of core/http/access.ts gives them */
export function maySendTo(host: string, allow: readonly string[]): boolean {
  return isLoopbackHost(host) || allow.includes(host);
}

/**
 * Which loopback this process has. On Linux every network namespace has its own, in one boot of one machine;
 * elsewhere a machine has one.
 */
export function ownPlace(files: Pick<SystemFiles, 'read' | 'link'> = systemFiles): string {
  const boot = files.read('/proc/sys/kernel/random/boot_id')?.trim();
  const network = files.link('/proc/self/ns/net');
  const all = boot !== undefined && network !== undefined ? `${boot} ${network}` : `host ${hostname()}`;
  return createHash('sha256').update(all).digest('hex').slice(0, 16);
}
