import { createHash } from 'node:crypto';
import type { ListPage } from '#shared/model/page';
import type { UserId } from '#shared/model/user-id';
import type { PageField } from './page.ts';
import { HttpProblem } from './problem.ts';
import { ok, type Reply } from './reply.ts';
import { type Route, routeKey } from './route.ts';

/** Longest cursor that any list issues. */
const cursorLengthMax = 2048;

/** The page fields of a validated query: `limit` and `cursor`, or `cursor` alone. */
type PageRequest<Query> = Pick<Query, Extract<keyof Query, PageField>>;

/** What a handler gets from `on()` where its route has a cursor in its query. */
export type PagingOf<Query> = 'cursor' extends keyof Query ? { readonly page: Paging<PageRequest<Query>> } : unknown;

/** What a handler gets as `query`: all of it, or the filters alone where `page` has the rest. */
export type FiltersOf<Query> = 'cursor' extends keyof Query ? Omit<Query, PageField> : Query;

/** What a cursor is valid for: one list of one caller with one set of filters. */
export interface CursorScope {
  readonly route: Pick<Route, 'method' | 'path'>;
  readonly userId: UserId | undefined;
  readonly params: object;
  /** The query without `limit` and `cursor`, validated, so that its fields are in the order of the schema. */
  readonly filters: object;
}

/**
 * The page of a list that a request asks for, and the answer that carries it.
 *
 * A cursor as callers see it is the domain's own, followed by a checksum over it and its scope, so that one that was damaged
 * or belongs to another list, caller or filter is refused. It needs no secret: a cursor moves only within the partition that
 * the server chose for the caller.
 */
export class Paging<Request extends { readonly cursor?: string }> {
  /** What to pass to the domain: `limit`, and the domain's own cursor where this is not the first page. */
  readonly request: Request;
  readonly #scope: string;

  /** @throws {HttpProblem} `invalid-cursor`: it was not issued for this scope */
  constructor({ route, userId, params, filters }: CursorScope, request: Request) {
    this.#scope = JSON.stringify([routeKey(route), userId, params, filters]);
    this.request = request.cursor === undefined ? request : { ...request, cursor: this.#opened(request.cursor) };
  }

  /** Answers with a page of the domain: its items, further fields of it, and `nextCursor`, which is null on the last page. */
  of<P extends ListPage<unknown>>({ items, cursor, ...fields }: P): Reply {
    return ok({ ...fields, items, nextCursor: cursor === undefined ? null : this.#sealed(cursor) });
  }

  #opened(cursor: string): string {
    const inner = cursor.slice(0, cursor.lastIndexOf('.'));
    if (cursor.length <= cursorLengthMax && cursor === this.#sealed(inner)) return inner;
    throw new HttpProblem('invalid-cursor', 'Use the nextCursor of the previous page with the same filters, or none.');
  }

  #sealed(inner: string): string {
    const checksum = createHash('sha256').update(`${this.#scope}\n${inner}`).digest('base64url').slice(0, 16);
    return `${inner}.${checksum}`;
  }
}
