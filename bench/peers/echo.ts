/** The physical limit of a frame there and back on this machine: ws, which sends back what it gets. */
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
server.on('connection', (socket) => socket.on('message', (message) => socket.send(String(message))));
server.on('listening', () => console.log((server.address() as AddressInfo).port));
