// Opens connections that ask and do not read.

import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'vitest';

/** More than the socket buffers of both ends take, whose sizes are the kernel's. */
export const moreThanKernelBytes = 24 * 1024 ** 2;

/** A body that no coding makes much smaller. */
export const noise = JSON.stringify(randomBytes(75_000).toString('base64'));

/** A client that sends and never reads. */
export async function deafClient(t: TestContext, url: string, request: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.pause().on('error', () => {}); // a reset is an end like others
  t.onTestFinished(() => void socket.destroy());
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(request);
  return socket;
}
