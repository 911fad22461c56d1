/** ccxt's errors for a list that an account does not have. */
const absent: ReadonlySet<string> = new Set([
  ...['NotSupported', 'ArgumentsRequired', 'BadRequest', 'PermissionDenied', 'AccountNotEnabled'],
]);

/**
 * Reads a list that not every account has, as the orders of a product that it never opened.
 * @param isOptional whether it may be missing
 * @returns undefined where it is
 */
export const optionalList = async <T>(isOptional: boolean, read: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await read();
  } catch (error) {
    if (isOptional && error instanceof Error && absent.has(error.name)) return undefined;
    throw error;
  }
};
