import { methodsOf, type Route } from '#functions/http/route';

/** Where a request goes: the route as API Gateway names it, and its target. */
export interface Destination<T> {
  readonly routeKey: string;
  readonly route: Route;
  readonly target: T;
}

export interface Match<T> {
  readonly destination: Destination<T>;
  /** From the path, still percent-encoded. */
  readonly params?: Readonly<Record<string, string>>;
}

interface Segment<T> {
  readonly fixed: Map<string, Segment<T>>;
  /** Any one segment that is not empty. */
  any?: Segment<T>;
  end?: { readonly names: readonly string[]; readonly match: Match<T> };
}

const PARAMETER = /^\{(\w+)\}$/;

/** Finds the route of a request as API Gateway does: the whole path has to match, and fixed segments win over parameters. */
export class RouteTable<T> {
  /** By method and path: most requests are found here. */
  readonly #whole = new Map<string, Map<string, Match<T>>>();
  readonly #trees = new Map<string, Segment<T>>();

  /** @throws {TypeError} there is such a route already */
  add(route: Route, target: T): void {
    for (const method of methodsOf(route)) this.#add(method, route, target);
  }

  #add(method: string, route: Route, target: T): void {
    const key = `${method} ${route.path}`;
    const match: Match<T> = { destination: { routeKey: key, route, target } };
    const segments = segmentsOf(route.path);
    if (!segments.some((segment) => PARAMETER.test(segment))) {
      const paths = this.#whole.get(method) ?? new Map<string, Match<T>>();
      if (paths.has(route.path)) throw new TypeError(`Two functions have the route ${key}`);
      this.#whole.set(method, paths.set(route.path, match));
      return;
    }
    const names: string[] = [];
    let node: Segment<T> = this.#trees.get(method) ?? { fixed: new Map() };
    this.#trees.set(method, node);
    for (const segment of segments) {
      const name = PARAMETER.exec(segment)?.[1];
      const next: Segment<T> = (name === undefined ? node.fixed.get(segment) : node.any) ?? { fixed: new Map() };
      if (name === undefined) {
        node.fixed.set(segment, next);
      } else {
        names.push(name);
        node.any = next;
      }
      node = next;
    }
    if (node.end !== undefined) throw new TypeError(`Two functions have the route ${key}`);
    node.end = { names, match };
  }

  /** @param path as received */
  find(method: string, path: string): Match<T> | undefined {
    const whole = this.#whole.get(method)?.get(path);
    if (whole !== undefined) return whole;
    const tree = this.#trees.get(method);
    if (tree === undefined) return undefined;
    const values: string[] = [];
    const end = descend(tree, segmentsOf(path), 0, values);
    if (end === undefined) return undefined;
    const params = Object.fromEntries(end.names.map((name, position) => [name, values[position] ?? '']));
    return { ...end.match, params };
  }
}

const segmentsOf = (path: string): string[] => path.slice(1).split('/');

const descend = <T>(
  node: Segment<T>,
  segments: readonly string[],
  depth: number,
  values: string[],
): Segment<T>['end'] => {
  const segment = segments[depth];
  if (segment === undefined) return node.end;
  const fixed = node.fixed.get(segment);
  const found = fixed && descend(fixed, segments, depth + 1, values);
  if (found !== undefined || node.any === undefined || segment === '') return found;
  values.push(segment);
  const end = descend(node.any, segments, depth + 1, values);
  if (end === undefined) values.pop();
  return end;
};
