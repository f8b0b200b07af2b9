import assert from 'node:assert/strict';
import { join } from 'node:path';
import { runLocal } from '@tutti/launch';
import program from '../programs/frozen.js';

const path = join(import.meta.dirname, '../programs/frozen.ts');

/** The sum of the squared errors, each example's in the mean, from the values alone. */
function lossOf(
  values: Readonly<Record<string, Float32Array>>,
  x: ArrayLike<number>,
  y: ArrayLike<number>,
): number {
  const of = (name: string) => values[name]!;
  const [down, up] = [of('adapted/kernel/down'), of('adapted/kernel/up')];
  const sumOf = (length: number, term: (i: number) => number) =>
    Array.from({ length }, (_, i) => term(i)).reduce((sum, value) => sum + value, 0);
  return sumOf(12, (n) => {
    const features = Array.from({ length: 4 }, (_, f) =>
      Math.tanh(
        of('features/bias')[f]! +
          sumOf(5, (i) => x[n * 5 + i]! * of('features/kernel')[i * 4 + f]!),
      ),
    );
    const predicted = (o: number) =>
      of('adapted/bias')[o]! +
      sumOf(4, (f) => features[f]! * (of('adapted/kernel')[f * 3 + o]! + down[f]! * up[o]!));
    return sumOf(3, (o) => (predicted(o) - y[n * 3 + o]!) ** 2) / 3;
  });
}

describe('the values of a result', () => {
  for (const [where, given] of Object.entries({ 'in this process': program, elsewhere: path }))
    for (const workers of [0, 2])
      it(`rebuild every weight, frozen ones too, with ${workers} workers ${where}`, async () => {
        const { values } = await runLocal(given, { workers }).result;
        const computation = await program.open();
        const frozen = computation.sharing!.frozen();
        const names = ['features/kernel', 'adapted/kernel'];
        assert.deepEqual(frozen.map(({ name }) => name).sort(), names.sort());
        for (const { name, values: first } of frozen) assert.deepEqual(values[name], first);
        const { training } = await program.data();
        const batch = await training.read(Uint32Array.from({ length: 12 }, (_, i) => i));
        const { lossSum } = await computation.evaluate(values, batch);
        const loss = lossOf(values, batch.x!.data, batch.y!.data);
        assert.ok(Math.abs(loss - lossSum) < 1e-5, `${loss} and ${lossSum}`);
        await computation.close?.();
      });
});
