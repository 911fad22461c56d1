import { WebSocket } from 'ws';
import type { Push } from '#shared/platform/ports';

/** Unsent bytes of a client beyond which it counts as too slow and is dropped. */
export const slowClientBytesMax = 1024 * 1024;

/** The open connections of this machine, by id. */
export class WsPush implements Push {
  readonly #connections = new Map<string, WebSocket>();

  add(connectionId: string, socket: WebSocket): void {
    this.#connections.set(connectionId, socket);
  }

  remove(connectionId: string): void {
    this.#connections.delete(connectionId);
  }

  /** Queues the frame without waiting for the client; one that can't keep up is dropped. */
  async send(connectionId: string, frame: string): Promise<'sent' | 'gone'> {
    const socket = this.#connections.get(connectionId);
    if (socket === undefined || socket.readyState !== WebSocket.OPEN) return 'gone';
    if (socket.bufferedAmount > slowClientBytesMax) {
      socket.terminate();
      return 'gone';
    }
    socket.send(frame);
    return 'sent';
  }

  async close(connectionId: string): Promise<void> {
    this.#connections.get(connectionId)?.close(1000);
  }

  /** Terminates every connection without a closing handshake. */
  terminateAll(): void {
    for (const socket of this.#connections.values()) socket.terminate();
  }
}
