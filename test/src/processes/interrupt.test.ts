import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readManifest } from '@tutti/checkpoint';
import type { RunEvent } from '@tutti/telemetry';
import { type Command, tutti } from './command.js';
import { eachTest } from './each-test.js';
import { regressionWith } from './program-files.js';
import { runLocal } from './run-local.js';

const each = eachTest(import.meta.url);

const ENDLESS = '{ epochs: 10_000_000, shards: 4 }';
const isStep = (line: string) => line.includes('"event":"step"');

/** Sends a signal to all processes of a command, as terminals and service managers do. */
const signalAll = (command: Command, name: NodeJS.Signals) =>
  process.kill(-command.process.pid!, name);

async function stopped(command: Command) {
  const { code, stdout, stderr } = await command.ended;
  const last = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as RunEvent;
  assert.ok(last.event === 'failed', stderr);
  assert.equal(last.code, 'ABORTED');
  const checkpoint = String(last.details.checkpoint);
  const { message, remedy } = last;
  return { code, stderr, message, remedy, checkpoint, step: Number(last.details.step) };
}

/** What a run of so many steps has in the end, in one process. */
const digestAfter = async (path: string, steps: number) =>
  (await runLocal(path, { workers: 0, steps }).result).digest;

/** Some steps more, from the checkpoint on: the same bits as without the interruption. */
async function assertGoesOn(path: string, checkpoint: string, step: number) {
  const args = ['train', path, '--resume', checkpoint, '--steps', String(step + 10), '--json'];
  const on = await tutti([...args, '--checkpoint-dir', join(each.folder.path, 'on')]).ended;
  assert.equal(on.code, 0, on.stderr);
  const last = JSON.parse(on.stdout.trimEnd().split('\n').at(-1)!) as RunEvent;
  assert.ok(last.event === 'finished');
  assert.equal(last.digest, await digestAfter(path, step + 10));
}

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('a run that is told to end', () => {
  for (const [workers, name, code] of [
    ['0', 'SIGTERM', 143],
    ['2', 'SIGTERM', 143],
    ['2', 'SIGINT', 130],
    ['2', 'SIGHUP', 129],
  ] as const)
    it(`by ${name} leaves a checkpoint and says how to go on: ${workers} workers`, async () => {
      const path = await each.folder.program(regressionWith('', ENDLESS));
      const directory = join(each.folder.path, 'runs');
      const args = ['train', path, '--workers', workers, '--checkpoint-dir', directory, '--json'];
      const command = tutti(args, ['setsid']);
      await command.line(isStep);
      signalAll(command, name);
      const end = await stopped(command);
      assert.equal(end.code, code);
      assert.equal(
        end.remedy,
        `Go on with: tutti train ${path} --workers ${workers} --json --checkpoint-dir ${directory} --resume latest`,
      );
      if (name === 'SIGTERM') return assertGoesOn(path, end.checkpoint, end.step);
      const { digest } = await readManifest(end.checkpoint);
      assert.equal(digest, await digestAfter(path, end.step));
    });

  /** Coordinator, server and worker, each a process of its own. */
  async function apart(...more: string[]) {
    const path = await each.folder.program(regressionWith('', ENDLESS));
    const directory = join(each.folder.path, 'runs');
    const anyPort = ['--listen', 'tcp://127.0.0.1:0', '--json'];
    const addressOf = async (command: Command) =>
      JSON.parse(await command.line((line) => line.includes('"listening"'))).address as string;
    const server = tutti(['server', ...anyPort]);
    const address = await addressOf(server);
    const coordinator = tutti([
      ...['coordinator', '--workers', '1', '--checkpoint-dir', directory, ...anyPort],
      ...['--server-addresses', address, ...more],
    ]);
    const worker = tutti(['worker', path, '--coordinator', await addressOf(coordinator)]);
    return { path, directory, server, address, coordinator, worker };
  }

  it('as a coordinator with a server elsewhere, though all end at once', async () => {
    const { path, server, coordinator, worker } = await apart();
    await coordinator.line(isStep);
    for (const each of [server, worker, coordinator]) each.process.kill('SIGTERM');
    const end = await stopped(coordinator);
    assert.equal(end.code, 143);
    assert.match(
      end.remedy,
      /: tutti coordinator --workers 1 --listen \S+ --server-addresses \S+ --json --checkpoint-dir /,
    );
    await Promise.all([server.ended, worker.ended]);
    await assertGoesOn(path, end.checkpoint, end.step);
  });

  it('does not wait for a server that was killed, and says what is left and what is lost', async () => {
    const { directory, server, address, coordinator, worker } = await apart(
      '--checkpoint-every',
      '5',
    );
    await coordinator.line((line) => line.includes('"event":"checkpoint"'));
    server.process.kill('SIGKILL');
    await coordinator.line((line) => line.includes('It is awaited.'));
    coordinator.process.kill('SIGINT');
    const end = await stopped(coordinator);
    assert.equal(end.code, 130);
    assert.match(
      end.message,
      /^Stopped after step \d+\. What came after step \d+, which is saved in/,
    );
    assert.ok(end.message.endsWith(`is lost: the server at ${address} did not come back`));
    assert.ok(end.remedy.endsWith(`--checkpoint-dir ${directory} --resume latest`), end.remedy);
    await Promise.all([server.ended, worker.ended]);
  });

  const ways: [string, string[]][] = [
    ['by nohup', ['bash', '-c', 'nohup "$@"; exit $?', 'bash']],
    ['by a script that ignores SIGHUP', ['sh', '-c', 'trap "" HUP; "$@"; exit $?', 'sh']],
  ];
  for (const [how, via] of ways)
    it(`goes on where its terminal closes, if it was started to outlive it ${how}`, async () => {
      const path = await each.folder.program(regressionWith('', ENDLESS));
      const directory = join(each.folder.path, 'runs');
      const args = ['train', path, '--checkpoint-dir', directory, '--json'];
      const command = tutti(args, ['setsid', ...via]);
      const first = JSON.parse(await command.line(isStep)).step as number;
      signalAll(command, 'SIGHUP');
      await command.line((line) => isStep(line) && JSON.parse(line).step > first + 20);
      const kept = await readdir(directory);
      assert.deepEqual(
        kept.filter((name) => name.startsWith('step-')),
        [],
      );
      signalAll(command, 'SIGTERM');
      const { stdout } = await command.ended;
      const last = JSON.parse(stdout.trimEnd().split('\n').at(-1)!);
      assert.ok(last.details.step > first + 20);
    });
});
