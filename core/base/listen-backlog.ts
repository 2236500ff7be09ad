// Says how many connections may wait in the kernel to be accepted, at listeners that a crowd may come to at
// once: everybody who was cut off comes back, and a connection that finds no room is tried again a second
// later.

/** The kernel takes the lesser of this and net.core.somaxconn. */
export const listenBacklog = 16_384;
