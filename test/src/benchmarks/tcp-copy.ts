import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { median } from './median.js';

/**
 * Milliseconds that a bare copy of a step's bytes takes over loopback TCP: each of `peers` processes
 * sends `bytes` to this one and receives as many, all at the same time. No framing, no arithmetic.
 */
export async function tcpCopyMs(peers: number, bytes: number, rounds: number): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.setNoDelay();
    sockets.push(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const children = Array.from({ length: peers }, () =>
    fork(fileURLToPath(import.meta.url), [String(port), String(bytes)]),
  );
  while (sockets.length < peers) await once(server, 'connection');
  const payload = Buffer.alloc(bytes, 1);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    await Promise.all(
      sockets.map((socket) => {
        socket.write(payload);
        return received(socket, bytes);
      }),
    );
    times.push(performance.now() - started);
  }
  for (const socket of sockets) socket.destroy();
  server.close();
  await Promise.all(children.map((child) => child.exitCode ?? once(child, 'exit')));
  return median(times);
}

function received(socket: Socket, bytes: number): Promise<void> {
  return new Promise((resolve) => {
    let left = bytes;
    const count = (chunk: Buffer) => {
      left -= chunk.length;
      if (left > 0) return;
      socket.off('data', count);
      resolve();
    };
    socket.on('data', count);
  });
}

/** The peer: answers each round with as many bytes as it begins to receive. */
async function peer(port: number, bytes: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay();
  const payload = Buffer.alloc(bytes, 2);
  let arrived = 0;
  let rounds = 0;
  socket.on('data', (chunk: Buffer) => {
    arrived += chunk.length;
    // One chunk may hold the end of a round and the beginning of the next.
    for (; rounds * bytes < arrived; rounds++) socket.write(payload);
  });
  socket.on('error', () => {});
  await once(socket, 'close');
  process.disconnect();
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await peer(Number(process.argv[2]), Number(process.argv[3]));
