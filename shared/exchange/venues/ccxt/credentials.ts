import type { Exchange } from 'ccxt';

/** What a key may consist of. */
export const credentialParts = ['apiKey', 'secret', 'password'] as const;

/** Names of what an exchange needs of an account to sign requests. */
export const neededCredentials = ({ requiredCredentials }: Pick<Exchange, 'requiredCredentials'>): string[] =>
  Object.entries(requiredCredentials).flatMap(([name, required]) => (required ? [name] : []));

/** Whether accounts can be opened there: with the parts of a key and nothing else, as a wallet's address. */
export const takesKeys = (exchange: Pick<Exchange, 'requiredCredentials'>): boolean => {
  const needed = neededCredentials(exchange);
  return needed.includes('apiKey') && needed.every((name) => credentialParts.some((part) => part === name));
};
