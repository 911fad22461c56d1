/**
 * How many random runs a model test makes: a few with each `npm test`, and `MODEL_FACTOR` times as many, with another seed each
 * time, where somebody looks for what a few don't find (`npm run test:models`).
 */
const factor = Number(process.env.MODEL_FACTOR ?? 1);

/** @param usual runs of `npm test` */
export const modelRuns = (usual: number): number => Math.ceil(usual * factor);

/** @param usual seed of `npm test`; `MODEL_SEED` repeats a run that failed */
export const modelSeed = (usual: number): number =>
  Number(process.env.MODEL_SEED ?? (factor === 1 ? usual : Date.now() % 2 ** 31));
