import * as z from 'zod';
import { PROBLEMS, type ProblemCode } from '#functions/http/problem';
import { perMinute, route } from '#functions/http/route';

export const health = route({
  method: 'GET',
  path: '/health',
  scope: 'public',
  throttle: perMinute(600),
  summary: 'Health check of the API',
  response: { 200: z.strictObject({ status: z.literal('ok') }) },
});

export const openapi = route({
  method: 'GET',
  path: '/openapi.json',
  scope: 'public',
  throttle: perMinute(300),
  summary: 'This document',
  response: { 200: z.looseObject({ openapi: z.string() }) },
});

export const explainProblem = route({
  method: 'GET',
  path: '/problems/{code}',
  scope: 'public',
  throttle: perMinute(300),
  summary: 'Explains a problem type',
  params: z.strictObject({ code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]) }),
  response: { 200: z.strictObject({ type: z.string(), status: z.int(), title: z.string() }) },
});

const Health = z.enum(['ok', 'degraded', 'down']);

const Status = z
  .strictObject({
    status: Health,
    version: z.string(),
    uptimeSeconds: z.number(),
    components: z.array(
      z.strictObject({
        name: z.string(),
        status: Health,
        checkedAt: z.int(),
        detail: z.string(),
        latencyMs: z.number().nullable(),
      }),
    ),
  })
  .meta({ id: 'Status' });

export const getStatus = route({
  method: 'GET',
  path: '/api/system/status',
  scope: 'system:read',
  throttle: perMinute(1200),
  summary: 'The status of each component of the system',
  response: { 200: Status },
});
