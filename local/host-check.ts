import { isIP } from 'node:net';

/** Whether a server that is bound to this address can be reached from this machine only. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

/** An address as the host of a URL. */
export const urlHost = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host);

/**
 * Decides which Host headers are accepted. A server on the loopback interface answers to the names of this machine only, so
 * that no page from elsewhere can reach it under a name of its own (DNS rebinding); any other server answers to all.
 */
export const hostCheck = (boundTo: string): ((host: string | undefined) => boolean) =>
  isLoopback(boundTo) ? (host) => isNameOf(boundTo, host) : () => true;

/** Whether a Host header is a name of this machine, or the address. */
const isNameOf = (address: string, host: string | undefined): boolean =>
  host !== undefined &&
  ['localhost', '127.0.0.1', '[::1]', urlHost(address)].includes(host.replace(/:\d*$/, '').toLowerCase());
