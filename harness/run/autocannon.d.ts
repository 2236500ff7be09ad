// Declares the part of autocannon that is used here; the package has no types of its own.

declare module 'autocannon' {
  export type Options = {
    url: string;
    connections: number;
    /** Seconds; or `amount`. */
    duration?: number;
    /** Requests. */
    amount?: number;
    method?: 'GET' | 'POST';
    body?: string;
    headers?: Record<string, string>;
  };
  export type Outcome = {
    requests: { total: number };
    errors: number;
    non2xx: number;
    '2xx': number;
    /** Seconds. */ duration: number;
  };
  export default function autocannon(options: Options): Promise<Outcome>;
}
