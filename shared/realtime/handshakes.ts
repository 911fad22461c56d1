import { TokenVerifier } from '#shared/auth/tokens';
import { type Bearer, Connections } from '#shared/connections/connections';
import { RateLimiter } from '#shared/limits/rate-limiter';
import type { UserId } from '#shared/model/user-id';
import { networkOf } from '#shared/platform/addresses';
import type { Platform } from '#shared/platform/ports';
import { Refusal } from './refusal.ts';

/** Most sockets that a user has open at a time. */
export const SOCKETS_PER_USER_MAX = 20;
/** Handshakes of a network address a minute, those with bad tokens included. */
const handshakesPerMinute = 60;
/** Searches for dead sockets of a user a minute: each sends a frame to every socket. */
const searchesPerMinute = 4;
/** A socket that opened this recently may still be shaking hands, when nothing can be sent to it yet. */
const openingMs = 30_000;
const tooManySocketsRetrySeconds = 60;

export interface Handshake {
  readonly connectionId: string;
  readonly token: string | undefined;
  /** Network address of the client, as the gateway saw it. */
  readonly address: string | undefined;
}

type Ports = Pick<Platform, 'table' | 'push' | 'clock' | 'config' | 'logger'>;

/** Decides which clients may open a socket. */
export class Handshakes {
  readonly #ports: Ports;
  readonly #connections: Connections;
  readonly #verifier: TokenVerifier;
  readonly #limiter: RateLimiter;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#connections = new Connections(ports);
    this.#verifier = new TokenVerifier(ports);
    this.#limiter = new RateLimiter(ports);
  }

  /**
   * Opens the connection of a handshake.
   * @throws {Refusal} `unauthenticated`: no valid token of a session that lasts. `too-many-requests`: the address or the
   *   user is at a limit
   */
  async accept({ connectionId, token, address }: Handshake): Promise<void> {
    // Counted before the token is verified: a refused handshake costs as much as another.
    const network = networkOf(address ?? '') ?? 'unknown';
    const perMinute = Math.max(1, Math.floor(handshakesPerMinute * this.#ports.config.http.requestLimitFactor));
    const { isAllowed, limit, resetSeconds } = await this.#limiter.take(['ADDRESS', network], 'handshakes', perMinute);
    if (!isAllowed) {
      const detail = `An address may connect ${limit} times a minute; try again in ${resetSeconds} s.`;
      throw new Refusal('too-many-requests', detail, resetSeconds);
    }
    const bearer = await this.#verified(token);
    // Written first and counted then: of those that compete for the last place, none is missed.
    await this.#connections.open(connectionId, bearer);
    if (await this.#hasRoom(bearer.userId)) return;
    await this.#connections.discard(connectionId, bearer.userId);
    const detail = `A user may have ${SOCKETS_PER_USER_MAX} sockets open; close one first.`;
    throw new Refusal('too-many-requests', detail, tooManySocketsRetrySeconds);
  }

  async #verified(token: string | undefined): Promise<Bearer> {
    const verdict = token === undefined ? undefined : await this.#verifier.verify(token, { freshSession: true });
    if (verdict === undefined || 'refusal' in verdict) {
      throw new Refusal('unauthenticated', 'Connect with a good access token.');
    }
    return verdict;
  }

  async #hasRoom(userId: UserId): Promise<boolean> {
    const sockets = await this.#connections.socketsOf(userId);
    if (sockets.length <= SOCKETS_PER_USER_MAX) return true;
    // The end of a connection isn't always announced, so sockets may be counted that no longer exist.
    const search = await this.#limiter.take(['USER', userId], 'socket-searches', searchesPerMinute);
    if (!search.isAllowed) return false;
    const now = this.#ports.clock.now();
    const settled = sockets.filter(({ openedAt }) => openedAt + openingMs <= now);
    const alive = await Promise.all(settled.map(({ connectionId }) => this.#connections.isAlive(connectionId)));
    return sockets.length - alive.filter((isAlive) => !isAlive).length <= SOCKETS_PER_USER_MAX;
  }
}
