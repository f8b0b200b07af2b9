import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/**
 * Where programs under test wait until the test lets them on: it holds a run still while something
 * happens to it. Behind a path, which also processes in other network namespaces reach.
 */
export interface Gate {
  /** Lets pass who stands before a step up to this one, now and later. */
  open(step: number): void;
  close(): Promise<void>;
}

export async function createGate(path: string): Promise<Gate> {
  const waiting = new Map<Socket, number>();
  let opened = -1;
  const open = (step: number) => {
    opened = Math.max(opened, step);
    for (const [socket, wanted] of waiting) if (wanted <= opened) socket.end();
  };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('close', () => waiting.delete(socket));
    // Readline hands on the errors of its input.
    const lines = createInterface({ input: socket }).on('error', () => {});
    lines.once('line', (line) => {
      waiting.set(socket, Number(line));
      open(opened);
    });
  }).listen(path);
  await once(server, 'listening');
  return {
    open,
    async close() {
      open(Number.POSITIVE_INFINITY);
      server.close();
      await once(server, 'close');
    },
  };
}

/** For the program: resolves when the gate is open for this step. */
export async function passGate(path: string, step: number): Promise<void> {
  const socket = connect(path);
  socket.write(`${step}\n`);
  socket.resume();
  await once(socket, 'end');
}
