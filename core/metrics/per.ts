// Divides what a trial counted by its deliveries, or by the days that its subscribers spent together.

import type { Metric } from './metric.ts';
import type { Completed } from '../result/result.ts';

const dayUs = 86_400e6;

/** Nothing where the total was not measured, or nothing was delivered. */
export function perDelivery(total: (trial: Completed) => number | undefined): Metric['read'] {
  return (trial) => {
    const value = total(trial);
    return value === undefined || trial.measuredDeliveries === 0
      ? undefined
      : value / trial.measuredDeliveries;
  };
}

export function perSubscriberDay(total: (trial: Completed) => number): Metric['read'] {
  return (trial) => total(trial) / ((trial.subscribers * trial.measuredUs) / dayUs);
}
