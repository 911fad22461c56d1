/** How often a delivery is tried before it goes to the dead letters: with the back-off of `deliver.ts`, for about a minute. */
export const maxReceives = 6;
