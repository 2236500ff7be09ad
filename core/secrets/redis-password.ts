// Takes the password of a Redis from the environment, where it stands in no scenario, in no result and in no
// list of processes.

export const redisPasswordVariable = 'PUSHBENCH_REDIS_PASSWORD';

/**
 * The URL of a Redis with the password of the environment, if it has none of its own. It goes into the URL
 * because ioredis takes the empty password of a URL that has a user's name before one in its options.
 */
export function withRedisPassword(
  url: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const password = environment[redisPasswordVariable];
  const parsed = new URL(url);
  if (!password || parsed.password !== '') return url;
  parsed.password = encodeURIComponent(password); // the setter leaves a % as it is
  return parsed.href;
}
