// Says what polling costs its server: so much CPU for a request, and so much for each event that an answer
// carries, fitted over the points of a profile (least squares of shares, neither below 0).

import type { ProfilePoint } from '../../core/profile/profile.ts';

export type RequestCosts = { requestUs: number; deliveryUs: number };

export function fitRequestCosts(points: readonly ProfilePoint[]): RequestCosts {
  const rows = points.flatMap((point) => {
    const cpuUs = (point.serverCpuShare - point.serverIdleShare) * 1e6;
    if (cpuUs <= 0 || point.requestsPerS <= 0) return [];
    return [{ requests: point.requestsPerS / cpuUs, deliveries: (point.subscribers * point.perS) / cpuUs }];
  });
  const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((all, row) => all + of(row), 0);
  const [rr, rd, dd] = [
    sum(({ requests }) => requests ** 2),
    sum(({ requests, deliveries }) => requests * deliveries),
    sum(({ deliveries }) => deliveries ** 2),
  ];
  const [r, d] = [sum(({ requests }) => requests), sum(({ deliveries }) => deliveries)];
  if (rows.length === 0) return { requestUs: 0, deliveryUs: 0 };
  const determinant = rr * dd - rd * rd;
  // Points on one line through the origin do not tell the two apart.
  if (determinant > 1e-6 * rr * dd) {
    const requestUs = (r * dd - d * rd) / determinant;
    const deliveryUs = (d * rr - r * rd) / determinant;
    if (requestUs >= 0 && deliveryUs >= 0) return { requestUs, deliveryUs };
    if (requestUs < 0) return { requestUs: 0, deliveryUs: d / dd };
  }
  return { requestUs: r / rr, deliveryUs: 0 };
}
