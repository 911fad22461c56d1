import { describe, expect, it } from 'vitest';
import { ApiGatewayPush, socketsClient } from '#shared/platform/aws/api-gateway-push';
import { TimedOut, Unavailable } from '#shared/platform/errors';
import { type Answer, httpRecorder, towards } from '../../../support/http-recorder.ts';

const given = async (answer: Answer) => {
  const recorder = await httpRecorder(answer);
  const options = towards(recorder);
  const push = new ApiGatewayPush(socketsClient({ ...options, endpoint: `${options.endpoint}/live` }));
  return { push, sent: () => recorder.requests.map(({ method, path, body }) => ({ method, path, body })) };
};

const failing = (status: number, name?: string): Answer => ({
  status,
  headers: name === undefined ? {} : { 'x-amzn-errortype': name },
  body: { message: 'no' },
});

describe('push', () => {
  it('posts the frame to the connection', async () => {
    const { push, sent } = await given({});
    expect(await push.send('AbC=', '{"seq":1,"price":"1 €"}')).toBe('sent');
    expect(sent()).toEqual([{ method: 'POST', path: '/live/@connections/AbC%3D', body: '{"seq":1,"price":"1 €"}' }]);
  });

  it.each([failing(410, 'GoneException'), failing(410)])('tells that a connection is gone', async (answer) => {
    const { push } = await given(answer);
    expect(await push.send('AbC=', '{}')).toBe('gone');
  });

  it('closes a connection', async () => {
    const { push, sent } = await given({ status: 204 });
    await push.close('AbC=');
    expect(sent()).toMatchObject([{ method: 'DELETE', path: '/live/@connections/AbC%3D' }]);
  });

  it('closes a connection that is gone already', async () => {
    const { push } = await given(failing(410, 'GoneException'));
    await expect(push.close('AbC=')).resolves.toBeUndefined();
  });

  it.each([failing(429, 'LimitExceededException'), failing(500), failing(403, 'ForbiddenException')])(
    'is unavailable when the gateway refuses: %j',
    async (answer) => {
      const { push } = await given(answer);
      await expect(push.send('AbC=', '{}')).rejects.toBeInstanceOf(Unavailable);
    },
  );

  it('is timed out when the gateway does not answer', async () => {
    const { push } = await given('hang');
    await expect(push.send('AbC=', '{}')).rejects.toBeInstanceOf(TimedOut);
  });

  it('waits at most 1.5 s for a frame to be taken, twice', async () => {
    const { url } = await httpRecorder({});
    const client = socketsClient({
      endpoint: url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    // The client reads its options with the first request.
    expect(await new ApiGatewayPush(client).send('AbC=', '{}')).toBe('sent');
    const handler = client.config.requestHandler as unknown as { httpHandlerConfigs(): object };
    expect(await client.config.maxAttempts()).toBe(2);
    expect(handler.httpHandlerConfigs()).toMatchObject({ requestTimeout: 1_500, throwOnRequestTimeout: true });
  });
});
