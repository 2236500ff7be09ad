// Holds a scenario of three servers behind HAProxy, which is told all that it can be told.

export const frontFaults = `
servers:
  count: 3
  in-front:
    kind: haproxy
    idle: 30s
    maxconn: 500
    slowstart: 2s
    check: { kind: http, interval: 1s, fall: 3, rise: 2 }
faults:
  - { at: 2s, in-front: drain, server: 2 }
  - { at: 3s, in-front: shutdown, server: 2 }
  - { at: 4s, in-front: ready, server: 2 }
  - { at: 5s, in-front: reload }
`;
