import type { Platform } from '../ports.ts';

/** Made while Lambda initialises the function; outside of Lambda nothing of AWS is loaded or read. */
const platform: Platform | undefined =
  process.env.AWS_LAMBDA_FUNCTION_NAME === undefined
    ? undefined
    : await (await import('./platform.ts')).awsPlatform(process.env);

/**
 * Binds a handler to Lambda, as the last line of a function's file: `export const handler = onLambda(createAlertsApi);`.
 * Elsewhere the file is imported for its `create…`, and the bound handler throws when it is called.
 */
export const onLambda = <Args extends unknown[], Result>(
  create: (platform: Platform) => (...args: Args) => Result,
): ((...args: Args) => Result) => {
  if (platform !== undefined) return create(platform);
  return () => {
    throw new Error('This handler runs on Lambda alone; elsewhere make one from the create function beside it');
  };
};
