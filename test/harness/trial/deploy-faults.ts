// Holds a scenario of three servers that are drained, refuse, and are replaced in both ways.

export const deployFaults = `
servers: { count: 3, broker: redis-streams }
faults:
  - { at: 1s, refuse: accept-then-close, for: 500ms, server: 2 }
  - { at: 1s, refuse: dependency-down, for: 500ms }
  - { at: 2s, deploy: rolling, window: 1s, pause: 250ms, advise: 2s }
  - { at: 8s, deploy: blue-green, window: 1s, limit: 3s, pause: 500ms }
  - { at: 12s, drain: 4, window: 1s }
`;
