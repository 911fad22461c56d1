import { describe, expect, it } from 'vitest';
import { handshake, SocketClient } from '../support/socket-client.ts';
import { eventually, limitOf, setPrice, target } from './target.ts';
import { newUser, openSocket } from './user.ts';

const bitcoin = 'prices:binance:BTC/USDT';

/** A listener to Bitcoin's price, which the venue is known to trade by now. */
const listener = async () => {
  const user = await newUser();
  await eventually('a price', async () => (await user.client.prices()).some(({ symbol }) => symbol === 'BTC/USDT'));
  return { ...user, socket: await openSocket(user.token) };
};

describe('a socket', () => {
  it('answers a ping', async () => {
    const socket = await openSocket((await newUser()).token);
    socket.send({ action: 'ping' });
    await socket.next('the pong', ({ type }) => type === 'pong');
    socket.end();
  });

  it('gets a snapshot and then the changes, in rising order', async () => {
    const { socket } = await listener();
    await setPrice('BTC/USDT', '65000');
    await socket.subscribe([bitcoin]);
    const snapshot = await socket.next('the snapshot', ({ type }) => type === 'snapshot');
    expect(snapshot).toMatchObject({ channel: bitcoin, data: { symbol: 'BTC/USDT', source: 'live' } });
    for (const price of ['65010.5', '65020']) {
      await setPrice('BTC/USDT', price);
      await eventually(`the update to ${price}`, () =>
        socket.updates(bitcoin).some(({ data }) => (data as { last: string }).last === price),
      );
    }
    const numbers = [snapshot, ...socket.updates(bitcoin)].map(({ seq = 0 }) => seq);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    socket.end();
  });

  it('gets no more of a channel after it left', async () => {
    const { socket } = await listener();
    const witness = await listener();
    await socket.subscribe([bitcoin]);
    await witness.socket.subscribe([bitcoin]);
    socket.send({ action: 'unsubscribe', channels: [bitcoin] });
    socket.send({ action: 'ping' });
    await socket.next('the pong', ({ type }) => type === 'pong');
    const before = socket.updates(bitcoin).length;
    await setPrice('BTC/USDT', '64900.25');
    await eventually('the update of another', () =>
      witness.socket.updates(bitcoin).some(({ data }) => (data as { last: string }).last === '64900.25'),
    );
    expect(socket.updates(bitcoin)).toHaveLength(before);
    socket.end();
    witness.socket.end();
  });

  it('gets the firings that it missed', async () => {
    const { socket, token, client } = await listener();
    await socket.subscribe(['alerts']);
    const snapshot = await socket.next('the snapshot', ({ type }) => type === 'snapshot');
    socket.end();
    await client.createAlert({
      condition: { type: 'price', venue: 'binance', symbol: 'BTC/USDT', operator: 'above', value: '1' },
    });
    const [notification] = await eventually('the firing', async () => {
      const history = await client.history();
      return history.length > 0 && history;
    });
    const again = await openSocket(token);
    await again.subscribe(['alerts'], { alerts: snapshot.seq ?? 0 });
    const missed = await eventually('the missed firing', () => again.updates('alerts')[0]);
    expect(missed.data).toMatchObject({ notificationId: notification?.notificationId });
    expect(missed.seq).toBeGreaterThan(snapshot.seq ?? 0);
    again.end();
  });

  it.each(['nothing', 'prices:binance:NO/SUCH'])('is refused the channel %s, and gets the others', async (channel) => {
    const { socket } = await listener();
    socket.send({ action: 'subscribe', channels: [channel, bitcoin] });
    const answer = await socket.next('the answer', ({ type }) => type === 'subscribed');
    expect(answer).toMatchObject({
      channels: [bitcoin],
      refused: [{ channel, problem: { type: '/problems/invalid-input' } }],
    });
    socket.end();
  });

  it.each([
    ['that is no JSON', 'nonsense', '/problems/malformed-request'],
    ['with an unknown action', { action: 'dance' }, '/problems/invalid-input'],
  ])('gets a problem for a message %s, and stays open', async (_kind, message, type) => {
    const { socket } = await listener();
    socket.send(message);
    const { problem } = await socket.next('the problem', (answer) => answer.type === 'error');
    expect(problem).toMatchObject({ type });
    socket.send({ action: 'ping' });
    await socket.next('the pong', (answer) => answer.type === 'pong');
    socket.end();
  });
});

describe('a handshake', () => {
  limitOf('ministack', 'it does not pass on the subprotocol that $connect selects')(
    'takes the token as a subprotocol',
    async () => {
      const { token } = await newUser();
      (await SocketClient.open(target.socketUrl, token)).end();
    },
  );

  it.each([
    ['without a token', ''],
    ['with a bad token', '?token=abc.def.ghi'],
  ])('%s is refused', async (_kind, query) => {
    // The emulator's server answers 403 to every handshake that $connect refuses.
    expect(await handshake(target.socketUrl + query)).toBe(target.emulator === null ? 401 : 403);
  });
});
