/** Longest sync of one account. */
export const syncTimeoutSeconds = 60;
