// Plays a system without /proc and /sys, as macOS is.

import type { SystemFiles } from '../harness/process/system-files.ts';

export const noFiles: SystemFiles = { read: () => undefined, list: () => undefined, link: () => undefined };
