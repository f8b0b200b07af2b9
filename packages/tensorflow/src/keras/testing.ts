import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Only tests import this file. Where pip has put Keras: `pip install --target <folder> keras jax`. */
const PYTHONPATH = process.env.KERAS_PYTHONPATH;
const run = promisify(execFile);
const env = {
  ...process.env,
  KERAS_BACKEND: 'jax',
  ...(PYTHONPATH === undefined ? {} : { PYTHONPATH }),
};

/** Runs Python where Keras is to be found; resolves with what it prints. */
export const keras = async (...args: string[]): Promise<string> =>
  (await run('python3', args, { env, maxBuffer: 2 ** 28 })).stdout;

export const hasKeras = (): Promise<boolean> =>
  keras('-c', 'import jax, keras').then(
    () => true,
    () => false,
  );
