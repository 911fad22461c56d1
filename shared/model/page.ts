/** Which page of a list is wanted. */
export interface PageRequest {
  /** Most items of the page, from 1. */
  readonly limit: number;
  /** The `cursor` of the previous page; the first page without it. */
  readonly cursor?: string;
}

/** A page of a list. */
export interface ListPage<T> {
  /** May be fewer than the limit, or none, before the last page. */
  readonly items: readonly T[];
  /** Present while there may be more. */
  readonly cursor?: string;
}
