import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createRandom } from '@tutti/runtime';
import type { ParameterValues, Program } from '@tutti/worker';

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

/** Stored parameters that are not what a layer begins with. */
export async function drawnValues(program: Program): Promise<ParameterValues> {
  const { parameters } = await program.open();
  const random = createRandom('weights');
  return Object.fromEntries(
    parameters.map(({ name, shape }) => {
      const length = shape.reduce((a, b) => a * b, 1);
      return [name, Float32Array.from({ length }, () => 0.5 * random.next() + 0.1)];
    }),
  );
}
