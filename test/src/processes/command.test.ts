import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type Command, tutti } from './command.js';
import { eachTest } from './each-test.js';
import { regressionWith } from './program-files.js';

describe('tutti train, as a script starts it,', () => {
  let commands: Command[] = [];
  afterEach(async () => {
    for (const command of commands) {
      command.process.kill('SIGKILL');
      await command.ended;
    }
    commands = [];
  });
  const each = eachTest(import.meta.url);

  /** Runs a program with checkpoints in the test's each.folder. */
  async function train(source: string, ...args: string[]): Promise<Command> {
    const path = await each.folder.program(source);
    const checkpoints = join(each.folder.path, 'checkpoints');
    const command = tutti(['train', path, '--checkpoint-dir', checkpoints, ...args]);
    commands.push(command);
    return command;
  }

  it('writes JSON lines and nothing else to stdout; the last says what came of it', async () => {
    const chatty = `${regressionWith('', '{ epochs: 2 }')}\nconsole.log('not JSON');`;
    const { ended } = await train(chatty, '--json', '--workers', '2', '--seed', '7');
    const { code, stdout } = await ended;
    assert.equal(code, 0);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const names = events.map(({ event }) => event);
    assert.equal(names.filter((name) => name === 'step').length, 14);
    assert.equal(names.filter((name) => name === 'epoch').length, 2);
    assert.ok(names.indexOf('started') < names.indexOf('step'));
    const { job } = events.find(({ event }) => event === 'started');
    for (const { event, at, job: told } of events) {
      assert.ok(Number.isSafeInteger(at), event);
      assert.ok(told === job || (told === null && !['step', 'epoch', 'finished'].includes(event)));
    }
    const last = events.at(-1);
    assert.deepEqual(Object.keys(last), [
      'event',
      'steps',
      'examples',
      'loss',
      'metrics',
      'digest',
      'examplesPerSecond',
      'wireBytesPerStep',
      'storedParameters',
      'modelPath',
      'at',
      'job',
    ]);
    const { event, steps, examples, storedParameters, modelPath } = last;
    assert.deepEqual([event, steps, examples, storedParameters], ['finished', 14, 206, 8]);
    assert.match(last.digest, /^[0-9a-f]{64}$/);
    assert.ok(last.wireBytesPerStep > 0 && last.examplesPerSecond > 0);
    assert.equal(modelPath, join(each.folder.path, 'checkpoints', 'step-000000014'));
  });

  it('writes plain lines where there is no terminal', async () => {
    const { ended } = await train(regressionWith('', '{ epochs: 2 }'), '--workers', '1');
    const { code, stdout } = await ended;
    assert.equal(code, 0);
    assert.match(stdout, /^step 1\/14, epoch 1\/2, loss [\d.]+, [\d,]+ examples\/s/m);
    assert.match(stdout, /^epoch 2\/2/m);
    assert.ok(stdout.includes(join(each.folder.path, 'checkpoints', 'step-000000014')));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there.
    assert.doesNotMatch(stdout, /[\x1b\r]|^\{/m);
  });

  it('ends with 1 when the program fails, and tells scripts and people why', async () => {
    const source = regressionWith('if (step === 3) result.gradient.w[4] = NaN;');
    const { ended } = await train(source, '--json', '--workers', '2');
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 1);
    const last = JSON.parse(stdout.trimEnd().split('\n').at(-1)!);
    assert.equal(last.event, 'failed');
    assert.equal(last.code, 'NOT_FINITE');
    assert.match(stderr, /The gradient of "w" is NaN in element 4 .*on worker w[01]/);
    await each.roll.everyoneGone();
  });

  it('ends with 2 when it is used wrongly', async () => {
    const { ended } = await train(regressionWith(''), '--workers', '9');
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /workers 9 \(flag --workers\).*shards 8/);
  });

  const LONG = '{ epochs: 1_000_000 }';
  const ENDLESS = regressionWith('', LONG);
  const isStep = (line: string) => JSON.parse(line).event === 'step';

  for (const [signal, expected] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    it(`ends with ${expected} on ${signal}, says how to go on, and leaves no process`, async () => {
      const command = await train(ENDLESS, '--json', '--workers', '2');
      await command.line(isStep);
      command.process.kill(signal);
      const { code, stderr } = await command.ended;
      assert.equal(code, expected);
      assert.match(
        stderr,
        /Go on with: tutti train \S+ --workers 2 --json --checkpoint-dir \S+ --resume latest\n$/,
      );
      await each.roll.assertAllGone(3);
    });

  it('is killed, and its workers end by themselves', async () => {
    const command = await train(ENDLESS, '--json', '--workers', '2');
    await command.line(isStep);
    await Promise.all([each.roll.worker('w0'), each.roll.worker('w1')]);
    command.process.kill('SIGKILL');
    assert.equal((await command.ended).signal, 'SIGKILL');
    await each.roll.everyoneGone();
  });

  it('is killed, and even a worker that hangs ends', async () => {
    // Not in one step only: of that, on a busy machine, others may have done what it owes.
    const hangs = `if (name === 'w1' && step >= 3) {
      console.error('hangs');
      for (;;);
    }`;
    const command = await train(regressionWith(hangs, LONG), '--json', '--workers', '2');
    await command.line((line) => line === 'w1: hangs', 'stderr');
    command.process.kill('SIGKILL');
    await command.ended;
    await each.roll.everyoneGone();
  });
});
