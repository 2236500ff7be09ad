// Holds a scenario of two servers behind HAProxy, which is told all that it can be.

export const frontFaults = `
servers: { count: 2, in-front: haproxy }
faults:
  - { at: 2s, in-front: drain, server: 2 }
  - { at: 3s, in-front: shutdown, server: 2 }
  - { at: 4s, in-front: ready, server: 2 }
  - { at: 5s, in-front: reload }
`;
