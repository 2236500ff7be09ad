// Holds how large the body of an event may be.

/** No generated body is larger, and none of a trace. */
export const largestBodyBytes = 256 * 1024 ** 2;
