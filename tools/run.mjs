import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Runs a program to its end; SIGTERM is passed on. A terminal sends Ctrl-C to the program itself, so
 * this process only waits for it.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, show?: 'all' | 'nothing', onLine?: (line: string) => void, onText?: (text: string) => void }} options
 *   `show: 'nothing'` keeps the output for the result; `onLine` gets every line of stdout; `onText` gets what
 *   would be shown, of stdout and stderr, and shows it.
 * @returns {Promise<{ code: number, output: string }>} 128 + signal number if a signal ended it.
 */
export function run(command, args, { cwd, env = process.env, show = 'all', onLine, onText }) {
  const kept = show === 'nothing';
  const piped = kept || onLine !== undefined || onText !== undefined;
  const write = onText ?? ((text) => process.stdout.write(text));
  // Unnamed wait: the caller races it, or the process shows what it does.
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ['inherit', piped ? 'pipe' : 'inherit', kept || onText ? 'pipe' : 'inherit'],
    });
    const ignore = () => {};
    const terminate = () => child.kill('SIGTERM');
    process.on('SIGINT', ignore);
    process.on('SIGTERM', terminate);
    let output = '';
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      if (kept) output += text;
      else write(text);
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine?.(line);
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      if (kept) output += text;
      else write(text);
    });
    const stopListening = () => {
      process.off('SIGINT', ignore);
      process.off('SIGTERM', terminate);
    };
    child.on('error', (error) => {
      stopListening();
      reject(new Error(`${command} cannot be started: ${error.message}`));
    });
    child.on('close', (code, signal) => {
      stopListening();
      if (rest !== '') onLine?.(rest);
      resolve({ code: code ?? 128 + (constants.signals[signal] ?? 0), output });
    });
  });
}
