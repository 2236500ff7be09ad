// Holds a scenario of three servers, two of which go and come back, one that starts later, and a broker that
// does all that a broker can.

export const lifeFaults = `
servers: { count: 3, broker: redis-streams }
faults:
  - { at: 2s, stop: 2 }
  - { at: 3s, kill: 34% }
  - { at: 5s, restart: 2 }
  - { at: 6s, restart: all }
  - { at: 8s, start: 4 }
  - { at: 9s, freeze: server, for: 500ms, server: 4 }
  - { at: 10s, broker: restart, for: 1s }
  - { at: 12s, broker: freeze, for: 1s }
  - { at: 14s, broker: kill, for: 500ms }
`;
