import { spawn } from 'node:child_process';
import { type Clock, systemClock, TuttiError } from '@tutti/runtime';

export interface RunOptions {
  readonly cwd?: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** The process is killed after this time. */
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
}

/** The last lines are enough for a message, and a compiler may write megabytes. */
const KEPT_CHARACTERS = 4000;

/**
 * Runs a command to its end, without a shell and without input.
 *
 * @returns its standard output.
 * @throws Error naming the command, how it ended and its last lines of output; TuttiError ABORTED.
 */
export function runProcess(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<string> {
  const { signal, limitMs, clock = systemClock } = options;
  // Unnamed wait: the caller races it.
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.environment ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: pip and npm start children, which must end with them.
      detached: process.platform !== 'win32',
    });
    let stdout = '';
    let tail = '';
    let ended: string | undefined;
    const stop = (why: string) => {
      ended = why;
      if (child.pid === undefined) return;
      try {
        if (process.platform === 'win32') child.kill('SIGKILL');
        else process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It ended by itself in the meantime.
      }
    };
    const onAbort = () => stop('was stopped on request');
    const timer = clock.after(limitMs, () => stop(`did not end within ${limitMs / 1000} s`));
    const keep = (text: string) => {
      tail = (tail + text).slice(-KEPT_CHARACTERS);
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      keep(text);
    });
    child.stderr.setEncoding('utf8').on('data', keep);
    const settle = (finish: () => void) => {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
      finish();
    };
    child.on('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'ENOENT' ? 'there is no such program' : error.message;
      settle(() => reject(new Error(`${command}: ${reason}`)));
    });
    child.on('close', (code, deadly) => {
      settle(() => {
        if (signal?.aborted) reject(aborted(command));
        else if (code === 0 && ended === undefined) resolve(stdout);
        else {
          const how = ended ?? (deadly ? `was ended by ${deadly}` : `ended with code ${code}`);
          reject(new Error(`${command} ${how}${lastLines(tail)}`));
        }
      });
    });
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}

export function aborted(what: string): TuttiError {
  return new TuttiError('ABORTED', `${what} was stopped on request.`, {
    remedy: 'Run it again; what was finished is kept.',
  });
}

function lastLines(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.length === 0 ? '' : `: ${lines.slice(-4).join(' | ')}`;
}
