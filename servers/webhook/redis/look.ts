// Looks again and again at what others may have changed.

/** Looks again and again, one look at a time. @returns the function that ends it */
export function everyMs(ms: number, look: () => Promise<void>): () => void {
  let isLooking = false;
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    void look().finally(() => (isLooking = false));
  }, ms);
  return () => clearInterval(timer);
}
