import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { keepAccount, lastLinesOf } from './accounts.js';
import { resolvePath } from './program-files.js';

/** The file that is run. */
export const MAIN = resolvePath('@tutti/cli/dist/main.js');

/** The command line in a process of its own, as a script would start it. */
export interface Command {
  readonly process: ChildProcess;
  /** Resolves with the next line that fits. */
  line(fits: (line: string) => boolean, of?: 'stdout' | 'stderr'): Promise<string>;
  readonly ended: Promise<Ended>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * @param via a command that runs what follows it somewhere else, in its own place
 * @param name how it is called where a test that failed shows what it said
 */
export function tutti(
  args: readonly string[],
  via: readonly string[] = [],
  name = `tutti ${args[0]}`,
): Command {
  return command([...via, process.execPath, MAIN, ...args], name);
}

/** Any command, as one of these. */
export function command(words: readonly string[], name = words[0]!, cwd?: string): Command {
  const [file, ...rest] = words;
  const child = spawn(file!, rest, { stdio: ['ignore', 'pipe', 'pipe'], cwd });
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text) => {
      written[name] += text;
    });
  keepAccount(name, () => [...lastLinesOf(written.stdout), ...lastLinesOf(written.stderr)]);
  const lines = {
    stdout: createInterface({ input: child.stdout }),
    stderr: createInterface({ input: child.stderr }),
  };
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, ...written }));
  });
  return {
    process: child,
    ended,
    line: (fits, of = 'stdout') =>
      new Promise((resolve, reject) => {
        lines[of].on('line', (line) => fits(line) && resolve(line));
        ended.then(({ stderr }) => reject(new Error(`It ended without that line: ${stderr}`)));
      }),
  };
}
