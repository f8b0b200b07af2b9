import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { tutti } from './command.js';
import { eachTest } from './each-test.js';
import { regressionWith } from './program-files.js';
import { runLocal } from './run-local.js';

const each = eachTest(import.meta.url);

/** What the coordinator may have open while it is flooded; alone it has 32. */
const MOST_FILES = 90;
/** Each batch that fits in keeps others out for as long as a handshake may take. */
const CONNECTIONS = 250;

const onLinux = process.platform === 'linux' ? describe : describe.skip;

/** Connections that say nothing, or half of what ZMTP begins with, and stay. */
function flood(address: string): Socket[] {
  const port = Number(address.split(':').at(-1));
  const half = Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3]);
  return Array.from({ length: CONNECTIONS }, (_, at) => {
    const socket = connect(port, '127.0.0.1', () => void (at % 2 && socket.write(half)));
    socket.on('error', () => {});
    return socket.resume();
  });
}

onLinux('more half-open connections than there may be open files', () => {
  it('hold up whoever comes after them for a while, which is said, and change nothing', async () => {
    const path = await each.folder.program(regressionWith(''));
    const run = tutti([
      ...['coordinator', '--workers', '1', '--listen', 'tcp://127.0.0.1:0', '--json'],
      ...['--checkpoint-dir', join(each.folder.path, 'runs')],
    ]);
    const listening = await run.line((line) => line.startsWith('{"event":"listening"'));
    const { address } = JSON.parse(listening);
    // Node.js cannot even load its modules with so few.
    const { pid } = run.process;
    execFileSync('prlimit', ['--pid', `${pid}`, `--nofile=${MOST_FILES}:${MOST_FILES}`]);
    const full = run.line((line) => line.includes('"code":"LIMIT"'));
    const sockets = flood(address);
    try {
      const { message, remedy } = JSON.parse(await full);
      assert.match(
        message,
        /Nobody else can connect for now, and whoever tries waits.*no more files/,
      );
      assert.match(remedy, /ulimit -n/);
      assert.ok(readdirSync(`/proc/${pid}/fd`).length >= MOST_FILES - 1);
      // All that came before them have had their time; without that nobody would get in before these give up.
      const status = tutti(['status', '--coordinator', address, '--answer-deadline-ms', '75000']);
      const worker = tutti(['worker', path, '--coordinator', address]);
      const asked = await status.ended;
      assert.equal(asked.code, 0, asked.stderr);
      assert.match(asked.stdout, /worker/);
      assert.equal((await worker.ended).code, 0);
      const { code, stdout } = await run.ended;
      assert.equal(code, 0);
      const { digest } = JSON.parse(stdout.trim().split('\n').at(-1)!);
      assert.equal(digest, (await runLocal(path, { workers: 0 }).result).digest);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
});
