import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createKeyFile } from '@tutti/transport';
import { tutti } from './command.js';
import { eachTest } from './each-test.js';

const each = eachTest(import.meta.url);

/** A message of so many frames, with more to come: it never ends. */
const FRAMES = 60;
const FRAME_BYTES = 4 * 1024 * 1024;
/** Half of what is sent, and more than a process takes that does its usual things. */
const MUCH_BYTES = (FRAMES * FRAME_BYTES) / 2;

const onLinux = process.platform === 'linux' ? describe : describe.skip;

/** The greeting of ZMTP 3 (rfc.zeromq.org/spec/23). */
function greeting(mechanism: string): Buffer {
  const bytes = Buffer.alloc(64);
  bytes[0] = 0xff;
  bytes[9] = 0x7f;
  bytes[10] = 3;
  bytes.write(mechanism, 12);
  return bytes;
}
const READY = Buffer.from(
  '\x04\x29\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER\x08Identity\x00\x00\x00\x00',
  'latin1',
);
/** The first command of a client with keys: of the right length, and by nobody who has any. */
const HELLO = Buffer.concat([
  Buffer.from('\x04\xc8\x05HELLO\x01\x00', 'latin1'),
  Buffer.alloc(192, 7),
]);
const frame = () => {
  const head = Buffer.alloc(9);
  // More frames follow; the length has eight bytes.
  head[0] = 3;
  head.writeBigUInt64BE(BigInt(FRAME_BYTES), 1);
  return Buffer.concat([head, Buffer.alloc(FRAME_BYTES, 1)]);
};

/** Sends all of it as fast as it is read, and resolves when it is read, or the other side has hung up. */
async function pour(address: string, mechanism: string, handshake: Buffer): Promise<void> {
  const socket = connect(Number(address.split(':').at(-1)), '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const said = (bytes: Buffer) =>
    Promise.race([closed, new Promise<void>((resolve) => socket.write(bytes, () => resolve()))]);
  await said(Buffer.concat([greeting(mechanism), handshake]));
  for (let at = 0; at < FRAMES && !socket.closed; at++) await said(frame());
  socket.destroy();
  await closed;
}

/** The most memory that a process ever had. */
function peakBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(/^VmHWM:\s+(\d+)/m.exec(status)![1]);
}

onLinux('a message of ever more frames', () => {
  /** What a coordinator comes to need by it. */
  async function grown(flags: readonly string[]): Promise<number> {
    const run = tutti(['coordinator', '--workers', '1', '--json', ...flags]);
    try {
      const line = await run.line((text) => text.startsWith('{"event":"listening"'));
      const { address } = JSON.parse(line);
      const before = peakBytes(run.process.pid!);
      await pour(address, 'NULL', READY);
      await pour(address, 'CURVE', HELLO);
      return peakBytes(run.process.pid!) - before;
    } finally {
      run.process.kill('SIGKILL');
      await run.ended;
    }
  }
  const LISTEN = ['--listen', 'tcp://127.0.0.1:0'];

  it('takes no memory where there is a key: nobody is read who does not have it', async () => {
    const key = join(each.folder.path, 'job.key');
    await createKeyFile(key);
    const bytes = await grown([...LISTEN, '--key-file', key]);
    assert.ok(bytes < MUCH_BYTES, `${bytes} bytes`);
  });

  it('is held until it is whole where there is none, as docs/SECURITY.md says', async () => {
    const bytes = await grown(LISTEN);
    assert.ok(bytes > MUCH_BYTES, `${bytes} bytes`);
  });
});
