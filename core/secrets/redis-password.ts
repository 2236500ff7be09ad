// Reads the password of a Redis from the environment, where it stands in no scenario, in no result and in no
// list of processes.

export const redisPasswordVariable = 'PUSHBENCH_REDIS_PASSWORD';

/** @returns undefined when there is none; a password in the URL of the Redis goes before it */
export function redisPassword(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  return environment[redisPasswordVariable] || undefined;
}
