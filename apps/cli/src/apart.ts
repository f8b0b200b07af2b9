import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Commands that load TensorFlow into their own process. `tutti worker` has one for it that is seen by schedulers. */
export const RUN_APART: readonly string[] = ['inspect', 'eval', 'replay', 'export', 'compress'];

/** Where the process that runs the command finds the stderr of this one. */
export const TERMINAL = 4;

/**
 * Runs a command in a process of its own, since the library of TensorFlow writes to stderr whenever it
 * starts, past all that JavaScript could do there; here that is left out. All else is as if it were run in
 * this process: output, terminal, signals and exit code.
 */
export async function runApart(args: readonly string[]): Promise<void> {
  // Only here: every command loads this file.
  // Unnamed wait: modules of this machine.
  const { isTensorflowChatter } = await import('@tutti/tensorflow-setup/internal');
  const main = fileURLToPath(new URL('apart-main.js', import.meta.url));
  const child = fork(main, args, { stdio: ['inherit', 'inherit', 'pipe', 'ipc', 2] });
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => void child.kill(name));
  // Nobody reads it any more: that is for the command to say, of stdout.
  process.stderr.on('error', () => {});
  createInterface({ input: child.stderr! }).on('line', (line) => {
    if (!isTensorflowChatter(line)) process.stderr.write(`${line}\n`);
  });
  // Unnamed wait: the command names its own waits.
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve();
      if (signal === null) process.exitCode = code ?? 1;
      else {
        // So that whoever started this process sees how it ended.
        process.removeAllListeners(signal);
        process.kill(process.pid, signal);
      }
    });
  });
}
