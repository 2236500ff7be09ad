// Reads the values of the kernel that decide how a listener whose queue is full treats clients.

import type { Profile } from '../../core/profile/profile.ts';
import { systemFiles, type SystemFiles } from '../process/system-files.ts';

export function readKernel(files: Pick<SystemFiles, 'read'> = systemFiles): Profile['kernel'] {
  const value = (path: string) => {
    const text = files.read(`/proc/sys/net/${path}`)?.trim() ?? '';
    return /^\d+$/.test(text) ? Number(text) : null;
  };
  return {
    somaxconn: value('core/somaxconn'),
    tcpSynRetries: value('ipv4/tcp_syn_retries'),
    tcpSynLinearTimeouts: value('ipv4/tcp_syn_linear_timeouts'),
  };
}
