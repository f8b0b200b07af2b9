import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { keepAccount } from './accounts.js';
import type { Answer } from './answer-roll-call.js';

/** Knows which processes run a program that imports answer-roll-call.ts, and when they end. */
export interface RollCall {
  /** Resolves when the worker of this name is there. */
  worker(name: string): Promise<Answer>;
  /** Waits until so many have answered, of whom, as of all who ever did, none may be left. */
  assertAllGone(atLeast: number): Promise<void>;
  /** Resolves when everyone who ever answered is gone; for those whose parent is gone too. */
  everyoneGone(): Promise<void>;
  /** Ends those that are left. */
  end(): Promise<void>;
}

export async function callRoll(): Promise<RollCall> {
  const answers = new Map<Socket, Answer>();
  const everyone: Answer[] = [];
  keepAccount('the roll call', () => everyone.map((answer) => JSON.stringify(answer)));
  const attendance = new EventEmitter();
  const change = () => attendance.emit('changed');
  const changed = () => once(attendance, 'changed');
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('close', () => {
      answers.delete(socket);
      change();
    });
    // Whoever is killed before it has read the answer resets the connection; readline hands that on.
    const lines = createInterface({ input: socket }).on('error', () => {});
    lines.on('line', (line) => {
      const answer = JSON.parse(line) as Answer;
      answers.set(socket, answer);
      everyone.push(answer);
      socket.write('known');
      change();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.env.ROLL_CALL_PORT = String((server.address() as AddressInfo).port);

  return {
    async worker(name) {
      for (;;) {
        const found = everyone.find((answer) => answer.name === name);
        if (found !== undefined) return found;
        await changed();
      }
    },
    async assertAllGone(atLeast) {
      // What a process said before it ended may be read after that is known.
      while (everyone.length < atLeast) await changed();
      for (const { name, pid } of everyone)
        assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' }, `${name} (${pid}) is left`);
    },
    async everyoneGone() {
      while (answers.size > 0) await changed();
    },
    async end() {
      delete process.env.ROLL_CALL_PORT;
      for (const { pid } of answers.values())
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // Ended just now.
        }
      while (answers.size > 0) await changed();
      server.close();
      await once(server, 'close');
    },
  };
}
