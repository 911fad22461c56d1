import type { IncomingMessage } from 'node:http';
import { HttpProblem } from '#functions/http/problem';
import { type ProxyNetworks, plainAddress, proxyHeaderOf } from './forwarded.ts';
import { hostCheck } from './host-check.ts';

/** The reverse proxies in front of a server, and where clients reach them. */
export interface BehindProxy {
  readonly networks: ProxyNetworks;
  /** An https origin: `https://alphapulse.example.com`. */
  readonly publicUrl: string;
}

export interface FrontDoorOptions {
  /** The address that the server is bound to. */
  readonly host: string;
  readonly proxy?: BehindProxy | undefined;
}

/** A request that was let in, or why it was not: the detail of a 421 (RFC 9110, section 15.5.20). */
export type Admission = { readonly clientAddress: string } | { readonly refusal: string };

/**
 * Decides which requests and handshakes are let in. Without the options of a reverse proxy there is none: what came through
 * one all the same is refused, because such a server takes everybody for a user of this machine.
 */
export class FrontDoor {
  readonly #proxy: BehindProxy | undefined;
  readonly #answersTo: (host: string | undefined) => boolean;
  readonly #names: string;

  constructor({ host, proxy }: FrontDoorOptions) {
    this.#proxy = proxy;
    this.#answersTo = proxy === undefined ? hostCheck(host) : isHostOf(proxy.publicUrl);
    this.#names =
      proxy === undefined
        ? 'the names of its own machine only: localhost, 127.0.0.1, [::1]'
        : `the name of its public URL only: ${proxy.publicUrl}`;
  }

  /** @throws {HttpProblem} `malformed-request`: there are two Host headers, so that proxies may have read another one */
  admit({ headers, headersDistinct, socket }: IncomingMessage): Admission {
    if ((headersDistinct.host?.length ?? 0) > 1) {
      throw new HttpProblem('malformed-request', 'The request has two Host headers.');
    }
    const peer = plainAddress(socket.remoteAddress ?? '');
    const isProxy = this.#proxy?.networks.contains(peer) === true;
    const proxyHeader = proxyHeaderOf(headers);
    if (proxyHeader !== undefined && !isProxy) return { refusal: this.#refusalOf(proxyHeader, peer) };
    if (!this.#answersTo(headers.host)) return { refusal: `This server answers to ${this.#names}.` };
    const forwardedFor = headersDistinct['x-forwarded-for']?.join();
    return { clientAddress: (isProxy && this.#proxy?.networks.clientOf(peer, forwardedFor)) || peer };
  }

  #refusalOf(proxyHeader: string, peer: string): string {
    return this.#proxy === undefined
      ? `The header ${proxyHeader} shows a reverse proxy; start the server with --behind-proxy CIDR and --public-url https://… to allow it.`
      : `The header ${proxyHeader} came from ${peer}, which is not in the networks of --behind-proxy.`;
  }
}

const isHostOf = (publicUrl: string) => {
  const { host } = new URL(publicUrl);
  return (given: string | undefined): boolean => given?.toLowerCase().replace(/:443$/, '') === host;
};
