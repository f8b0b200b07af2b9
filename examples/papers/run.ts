/**
 * Trains what a row of docs/PAPERS.md says, seed after seed, and prints the row: mean and standard deviation.
 *
 *     npx tsx examples/papers/run.ts hashed-nets-64 --seeds 5
 *
 * What follows `--` is for `tutti train`, such as `-- --steps 100` to try it. `VALIDATION=1` measures on the
 * validation set instead of the test set.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Row, rows } from './rows.js';

type Numbers = Readonly<Record<string, number>>;

const examples = fileURLToPath(new URL('..', import.meta.url));

/** The last result of a `tutti` command, which runs in a process of its own. */
async function tutti(
  environment: Readonly<Record<string, string>>,
  ...parameters: readonly string[]
): Promise<Record<string, unknown>> {
  const child = spawn('npx', ['tutti', ...parameters, '--workers', '0', '--json'], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let result: Record<string, unknown> | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line);
    if (event.event === 'finished' || event.event === 'compressed') result = event;
  }
  const [code] = await exited;
  if (code !== 0 || result === undefined)
    throw new Error(`tutti ${parameters.join(' ')} ended with code ${code}.`);
  return result;
}

/** What is measured of one training with one seed. */
async function measure(
  { program, environment = {}, compress }: Row['variants'][number],
  seed: number,
): Promise<Numbers> {
  const path = `${examples}${program}`;
  const seeded = ['--seed', String(seed)];
  const trained = await tutti(environment, 'train', path, ...seeded, ...positionals.slice(1));
  const { loss, metrics, storedParameters } = trained as {
    loss: number;
    metrics: Numbers;
    storedParameters: number;
  };
  if (compress === undefined)
    return { stored: storedParameters, perplexity: Math.exp(loss), ...metrics };
  const settings = { ...environment, ...compress.environment };
  const { bytes, accuracy } = (await tutti(
    settings,
    ...['compress', path, ...seeded, ...compress.options],
  )) as { bytes: number; accuracy: number };
  return { bytes, accuracy, 'accuracy before': metrics.accuracy! };
}

/** Mean and standard deviation (of a sample) of each of the numbers. */
function summary(measured: readonly Numbers[]): string {
  return Object.keys(measured[0]!)
    .map((name) => {
      const values = measured.map((each) => each[name]!);
      const mean = values.reduce((sum, value) => sum + value) / values.length;
      const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      const deviation = Math.sqrt(squares / Math.max(1, values.length - 1));
      return `${name} ${Number(mean.toPrecision(6))} ± ${Number(deviation.toPrecision(2))}`;
    })
    .join(', ');
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string', default: '5' } },
});
const row = rows.find(({ name }) => name === positionals[0]);
const seeds = Number(values.seeds);
if (row === undefined || !(Number.isSafeInteger(seeds) && seeds > 0)) {
  console.error(`Usage: npx tsx examples/papers/run.ts <row> [--seeds 5]
Rows: ${rows.map(({ name }) => name).join(', ')}`);
  process.exitCode = 2;
} else {
  console.log(`paper: ${row.paper}`);
  for (const variant of row.variants) {
    const measured: Numbers[] = [];
    for (let seed = 1; seed <= seeds; seed++) measured.push(await measure(variant, seed));
    console.log(`${variant.label}: ${summary(measured)} (${seeds} seeds)`);
  }
}
