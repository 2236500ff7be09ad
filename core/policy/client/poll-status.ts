// Decides what the status of a poll's answer means. Numbers in, words out: the same rule serves pollers of
// our servers and of targets.

/**
 * `ok`: the body has the events. `nothing-new`: there are none, and the answer gives the client's new place.
 * `hold-ended`: a proxy or the like ended the hold. It does not know the client's place, so that stays.
 * `refused`: the client is sent away for a while. `unexpected`: a status that no poll should have.
 */
export type PollStatus = 'ok' | 'nothing-new' | 'hold-ended' | 'refused' | 'unexpected';

/**
 * Reads the status of an answer to a poll. Both 503 (RFC 9110, section 15.6.4) and 429 (RFC 6585, section 4)
 * send any client away for a while.
 * @param endsHolds 408 and 504 end a hold: some servers and proxies of others say so when nothing came
 */
export function readPollStatus(status: number, endsHolds: boolean): PollStatus {
  switch (status) {
    case 200:
      return 'ok';
    case 204:
    case 304:
      return 'nothing-new';
    case 429:
    case 503:
      return 'refused';
    case 408:
    case 504:
      return endsHolds ? 'hold-ended' : 'unexpected';
    default:
      return 'unexpected';
  }
}
