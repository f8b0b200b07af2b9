import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { type Command, tutti } from './command.js';

const program = fileURLToPath(new URL('../programs/chatty.ts', import.meta.url));
const commands: Command[] = [];

async function hanging(): Promise<Command> {
  const command = tutti(['inspect', program], ['env', 'CHATTY_HANGS=1']);
  commands.push(command);
  await command.line((line) => line === 'F0000 a true fault', 'stderr');
  return command;
}

describe('a command that loads TensorFlow into a process of its own', () => {
  afterEach(async () => {
    for (const command of commands.splice(0)) {
      command.process.kill('SIGKILL');
      await command.ended;
    }
  });

  it('leaves out what TensorFlow says at every start, and nothing else', async () => {
    const { code, stdout, stderr } = await tutti(['inspect', program]).ended;
    assert.deepEqual({ code, stderr }, { code: 0, stderr: 'F0000 a true fault\n' });
    assert.match(stdout, /^ {2}weight/);
  });

  it('fails as it would in one', async () => {
    const { code, stderr } = await tutti(['eval', program, '--checkpoint', 'nowhere']).ended;
    assert.equal(code, 1);
    assert.match(stderr, /^error BAD_CHECKPOINT: nowhere/);
  });

  it('ends with SIGTERM, like any other', async () => {
    const command = await hanging();
    command.process.kill('SIGTERM');
    const { code, signal } = await command.ended;
    assert.deepEqual({ code, signal }, { code: 143, signal: null });
  });

  it('ends with the process that was started, even if that is killed', async () => {
    const command = await hanging();
    command.process.kill('SIGKILL');
    // Its output ends only when nobody can write to it any more.
    assert.equal((await command.ended).signal, 'SIGKILL');
  });
});
