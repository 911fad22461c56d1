import { describe, expect, it } from 'vitest';
import { perMinute, route } from '#functions/http/route';
import { RouteTable } from '#local/route-table';

const table = (...paths: `/${string}`[]) => {
  const routes = new RouteTable<string>();
  for (const path of paths) {
    const declaration = {
      method: 'GET',
      path,
      scope: 'public',
      throttle: perMinute(1),
      summary: '',
      response: {},
    } as const;
    routes.add(route(declaration), path);
  }
  return routes;
};
const found = (routes: RouteTable<string>, path: string, method = 'GET') =>
  routes.find(method, path)?.destination.routeKey;

describe('RouteTable', () => {
  const routes = table('/api/alerts/list', '/api/alerts/{alertId}', '/api/{area}/{id}/sync', '/api/accounts/{id}');

  it('finds a fixed path', () => expect(found(routes, '/api/alerts/list')).toBe('GET /api/alerts/list'));
  it('prefers fixed segments to parameters', () =>
    expect(found(routes, '/api/accounts/1')).toBe('GET /api/accounts/{id}'));
  it('goes back to a parameter where the fixed segments lead nowhere', () =>
    expect(found(routes, '/api/accounts/1/sync')).toBe('GET /api/{area}/{id}/sync'));
  it('gives the values of the parameters by name', () =>
    expect(routes.find('GET', '/api/x/7/sync')?.params).toEqual({ area: 'x', id: '7' }));
  it.each(['/api/alerts/', '/api/alerts', '/api/alerts/1/2', '/', '', '/API/alerts/list'])('does not find %j', (path) =>
    expect(found(routes, path)).toBeUndefined(),
  );
  it('does not find the path under another method', () =>
    expect(found(routes, '/api/alerts/list', 'POST')).toBeUndefined());
  it('refuses two functions with the same route', () => expect(() => table('/a/{b}', '/a/{b}')).toThrow(TypeError));
});
