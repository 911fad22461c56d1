import { isIP } from 'node:net';

/** Whether a server that is bound to this address can be reached from this machine only. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

/** How an address stands in a URL. */
export const urlHost = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host);

/**
 * Tells which Host headers are answered. A server on the loopback interface answers to the names of this machine only, so
 * that no page from elsewhere can reach it under a name of its own (DNS rebinding); any other server answers to all.
 */
export const hostCheck = (boundTo: string): ((host: string | undefined) => boolean) => {
  if (!isLoopback(boundTo)) return () => true;
  const names = new Set(['localhost', '127.0.0.1', '[::1]', urlHost(boundTo)]);
  return (host) => host !== undefined && names.has(host.replace(/:\d*$/, '').toLowerCase());
};
