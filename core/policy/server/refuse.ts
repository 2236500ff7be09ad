// Names how a server refuses on purpose, as a fault.

/**
 * `accept-then-close`: new connections are accepted and closed at once, as by a broken sidecar; those there
 * are go on. `dependency-down`: what subscribers are served from is down; they are let go, and new ones are
 * refused. `off`: neither any more.
 */
export const refuseModes = ['accept-then-close', 'dependency-down', 'off'] as const;
export type RefuseMode = (typeof refuseModes)[number];

/** How long a client that was refused is asked to stay away (Retry-After). */
export const retryAfterS = 1;
