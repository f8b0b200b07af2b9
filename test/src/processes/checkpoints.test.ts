import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { listCheckpoints, readCheckpoint } from '@tutti/checkpoint';
import type { LocalOptions } from '@tutti/launch';
import type { RunEvent } from '@tutti/telemetry';
import { type Ended, tutti } from './command.js';
import { eachTest } from './each-test.js';
import type { Gate } from './gate.js';
import { gatedRegression, HELD_DEADLINES, HELD_FLAGS } from './gated-program.js';
import { regressionWith } from './program-files.js';
import { runLocal } from './run-local.js';

const each = eachTest(import.meta.url);

async function run(path: string, options: LocalOptions, onEvent?: (event: RunEvent) => unknown) {
  const events: RunEvent[] = [];
  const { result } = runLocal(path, {
    ...options,
    onEvent(event) {
      events.push(event);
      onEvent?.(event);
    },
  });
  return { ...(await result), events };
}

const warningsOf = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.event === 'warning' ? [event] : []));

const eventsOf = ({ stdout }: Pick<Ended, 'stdout'>): RunEvent[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

/** More than one chunk, so that both servers hold something; a few hundred steps. */
const WIDE = '{ features: 66_000, examples: 24, epochs: 40, batchSize: 8 }';

let gates: Gate[] = [];
afterEach(async () => {
  for (const gate of gates) await gate.close();
  gates = [];
});

/** A WIDE program whose workers stand at a gate before each step for which `when` holds. */
async function gated(when: string) {
  const made = await gatedRegression(each.folder, when, WIDE);
  gates.push(made.gate);
  return made;
}

(process.platform === 'linux' ? describe : describe.skip)('a run that is killed as a whole', () => {
  it('goes on from its last checkpoint to the same digest, with other workers and servers', async () => {
    // Held until a checkpoint is there, so that others are due, and for good until it has been killed.
    const { program: path, gate } = await gated('step === 20 || step === 100');
    const directory = join(each.folder.path, 'checkpoints');
    const common = ['train', path, '--shards', '4', '--checkpoint-dir', directory]
      // The same for the first time and for every other.
      .concat('--resume', 'latest', '--json');
    const often = ['--checkpoint-every', '3', '--workers', '2', '--servers', '2', ...HELD_FLAGS];
    // In a process group of its own, so that all of its processes are killed at once.
    const first = tutti([...common, ...often], ['setsid']);
    await first.line((line) => line.includes('"checkpoint"'));
    gate.open(20);
    await first.line((line) => line.includes('"checkpoint"'));
    process.kill(-first.process.pid!, 'SIGKILL');
    const { signal, stdout } = await first.ended;
    assert.equal(signal, 'SIGKILL');
    // The last line may be torn.
    const [warning] = warningsOf(eventsOf({ stdout: stdout.slice(0, stdout.lastIndexOf('\n')) }));
    assert.equal(warning?.code, 'NO_CHECKPOINT');
    assert.ok(warning.message.includes(directory), warning.message);

    gate.open(100);
    const expected = await run(path, { workers: 0, shards: 4 });
    const second = await tutti([...common, '--workers', '3']).ended;
    assert.equal(second.code, 0, second.stderr);
    const events = eventsOf(second);
    const started = events.find((event) => event.event === 'started');
    assert.ok(started?.event === 'started' && started.resumed !== undefined);
    const { step } = started.resumed;
    // One that is due while another is written comes later: at any step.
    assert.ok(step > 0);
    const last = events.at(-1);
    assert.ok(last?.event === 'finished');
    assert.equal(last.digest, expected.digest);
    assert.equal(last.examples, expected.examples);
    assert.equal(events.filter((event) => event.event === 'step').length, expected.steps - step);
  });
});

describe('a checkpoint on the disk', () => {
  it('goes from the plain loop to workers and back, from the same program', async () => {
    const path = await each.folder.program(regressionWith('', WIDE));
    const directory = join(each.folder.path, 'checkpoints');
    const often = { checkpointDir: directory, checkpointEvery: { steps: 5 }, checkpointKeep: 99 };
    const expected = await run(path, { workers: 0, ...often });
    const listed = await listCheckpoints(directory);
    // Between them as many as the disk has taken meanwhile.
    assert.equal(listed[0]!.step, 5);
    assert.equal(listed.at(-1)!.step, expected.steps);
    const resume = listed[0]!.path;
    const other = { checkpointDir: join(each.folder.path, 'other') };
    const workers = await run(path, { workers: 2, servers: 2, ...often, ...other, resume });
    assert.equal(workers.digest, expected.digest);
    const { path: back, step } = (await listCheckpoints(other.checkpointDir)).at(-2)!;
    const alone = await run(path, { workers: 0, ...other, resume: back });
    assert.equal(alone.digest, expected.digest);
    assert.equal(alone.job, expected.job);
    // The same but for when it happened.
    const epochs = (events: readonly RunEvent[]) =>
      events.flatMap((event) => (event.event === 'epoch' ? [{ ...event, at: 0 }] : []));
    assert.deepEqual(
      epochs(alone.events),
      epochs(expected.events).filter((epoch) => epoch.step >= step),
    );
  });

  it('says all about the run that wrote it', async () => {
    const path = await each.folder.program(regressionWith('', '{ shards: 4 }'));
    const { modelPath, digest, plan, job, loss, events } = await run(path, {
      workers: 2,
      checkpointDir: join(each.folder.path, 'checkpoints'),
    });
    assert.deepEqual(
      events.flatMap((event) => (event.event === 'checkpoint' ? [[event.step, event.path]] : [])),
      [[14, modelPath]],
    );
    const { manifest } = await readCheckpoint(modelPath!);
    assert.equal(manifest.digest, digest);
    assert.equal(manifest.step, 14);
    assert.equal(manifest.seed, plan.seed);
    assert.equal(manifest.programHash, plan.programHash);
    assert.equal(manifest.job, job);
    assert.equal(manifest.evaluation?.loss, loss);
    assert.deepEqual(manifest.plan, JSON.parse(JSON.stringify(plan)));
    assert.equal(manifest.versions.node, process.version);
    const listed = Object.entries(manifest.files);
    assert.deepEqual(
      [...listed.map(([name]) => name), 'manifest.json'].sort(),
      (await readdir(modelPath!)).sort(),
    );
    for (const [, { sha256 }] of listed) assert.match(sha256, /^[0-9a-f]{64}$/);
  });

  it('that is damaged is refused with the reason; latest falls back to the one before', async () => {
    const path = await each.folder.program(regressionWith('', '{ shards: 4 }'));
    const checkpointDir = join(each.folder.path, 'checkpoints');
    const first = await run(path, { workers: 0, checkpointDir, checkpointEvery: { steps: 5 } });
    const weights = join(first.modelPath!, 'weights.safetensors');
    const bytes = await readFile(weights);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(weights, bytes);
    await assert.rejects(run(path, { workers: 1, checkpointDir, resume: first.modelPath! }), {
      code: 'BAD_CHECKPOINT',
      message: /weights\.safetensors cannot be used: its SHA-256 is/,
    });
    const { digest, events } = await run(path, { workers: 1, checkpointDir, resume: 'latest' });
    assert.equal(digest, first.digest);
    const [warning] = warningsOf(events);
    assert.match(warning!.message, /step-000000014.* SHA-256 .* It was passed over/);
  });

  it('of another program is refused by the command line, in one line and with a remedy', async () => {
    const directory = join(each.folder.path, 'checkpoints');
    const mine = await each.folder.program(regressionWith('', '{ shards: 4 }'));
    await run(mine, { workers: 0, checkpointDir: directory });
    const other = await each.folder.program(
      regressionWith('', '{ shards: 4, epochs: 3 }'),
      'other.ts',
    );
    const args = ['train', other, '--checkpoint-dir', directory, '--resume', directory];
    const { code, stderr } = await tutti(args).ended;
    assert.equal(code, 1);
    assert.match(stderr, /cannot be used: the program regression has changed since/);
    assert.match(stderr, /Use the program as it was when this was written/);
  });
});

describe('a disk that takes no more', () => {
  /** A small disk of its own, where the system lets us. */
  function mountSmall(path: string, ...options: string[]): boolean {
    try {
      const how = ['-t', 'tmpfs', '-o', ['size=1500k', ...options].join(), 'tmpfs', path];
      execFileSync('mount', how, { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  }

  for (const [name, options] of [
    ['is full', []],
    ['is read-only', ['ro']],
  ] as const)
    it(`as it ${name}, is told, and changes nothing else`, async function () {
      const disk = join(each.folder.path, 'disk');
      await mkdir(disk);
      if (!mountSmall(disk, ...options)) this.skip();
      try {
        // Held until it is clear what came of the first, so that another is due.
        const { program: path, gate } = await gated('step === 20');
        const { digest, modelPath, events } = await run(
          path,
          {
            workers: 2,
            checkpointDir: disk,
            checkpointEvery: { steps: 5 },
            checkpointKeep: 5,
            deadlines: HELD_DEADLINES,
          },
          ({ event }) => (event === 'checkpoint' || event === 'warning') && gate.open(20),
        );
        const expected = await run(path, { workers: 0 });
        assert.equal(digest, expected.digest);
        // The end of the run is saved, elsewhere.
        assert.equal((await readCheckpoint(modelPath!)).manifest.digest, digest);
        await rm(dirname(modelPath!), { recursive: true });
        const warnings = warningsOf(events);
        assert.ok(warnings.length > 1);
        for (const { code, message, remedy } of warnings) {
          assert.equal(code, 'STORAGE');
          assert.match(message, /disk/);
          assert.notEqual(remedy, '');
        }
        const kept = await listCheckpoints(disk);
        assert.equal(kept.length, name === 'is full' ? 1 : 0);
        for (const { path: older, step } of kept) {
          const [first] = events.filter(({ event }) => event === 'checkpoint');
          assert.ok(first?.event === 'checkpoint');
          assert.deepEqual([first.step, first.path], [step, older]);
          await readCheckpoint(older);
        }
        assert.ok((await readdir(disk)).every((entry) => !entry.startsWith('.tmp')));
      } finally {
        execFileSync('umount', [disk]);
      }
    });
});
