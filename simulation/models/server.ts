// Simulates the thread of a server: work that comes while it is busy waits in order (FIFO). It never idles
// while there is work, and does not know what the work is.

export type Server = {
  /**
   * Work that comes at `atUs` and takes `tookUs`; calls come in the order of time.
   * @returns when it begins
   */
  serve(atUs: number, tookUs: number): number;
  freeAtUs(): number;
};

export function createServer(): Server {
  let freeUs = -Infinity;
  return {
    serve(atUs, tookUs) {
      const beginsUs = Math.max(atUs, freeUs);
      freeUs = beginsUs + tookUs;
      return beginsUs;
    },
    freeAtUs: () => freeUs,
  };
}

/** Makes the threads of servers: one for each, or the same for all where they share a core. */
export function threadMaker(oneCore: true | undefined): () => Server {
  if (!oneCore) return createServer;
  const shared = createServer();
  return () => shared;
}
