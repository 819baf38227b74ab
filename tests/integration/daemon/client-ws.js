// SPDX-License-Identifier: LGPL-2.1-or-later
//
// npm's ws as a client that takes commands and reports what happens, see test_clients.py.

'use strict';

const readline = require('readline');
const WebSocket = require('ws');

const report = (ev, fields) => console.log(JSON.stringify({ ev, ...fields }));

const socket = new WebSocket(process.argv[2], { maxPayload: 1 << 20 });
socket.on('open', () => report('open', { extensions: socket.extensions }));
socket.on('message', (data, isBinary) => report('message', { text: data.toString(), binary: isBinary }));
socket.on('ping', (data) => report('ping', { text: data.toString() }));
socket.on('pong', (data) => report('pong', { text: data.toString() }));
socket.on('close', (code, reason) => report('close', { code, reason: reason.toString() }));
socket.on('error', (error) => report('error', { message: error.message }));

const commands = {
  send: ({ parts }) => parts.forEach((part, i) => socket.send(part, { fin: i === parts.length - 1 })),
  bytes: ({ hex, binary }) => socket.send(Buffer.from(hex, 'hex'), { binary }),
  ping: ({ text }) => socket.ping(text),
  close: ({ code, reason }) => socket.close(code, reason),
  terminate: () => socket.terminate(),
};

const input = readline.createInterface({ input: process.stdin });
input.on('line', (line) => {
  const command = JSON.parse(line);
  commands[command.cmd](command);
});
input.on('close', () => process.exit(0));
