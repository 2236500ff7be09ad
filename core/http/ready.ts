// Names where servers of ours say whether they take subscribers, for those who ask and those who answer.

/** Answered 200 or 503. */
export const readyPath = '/readyz';
